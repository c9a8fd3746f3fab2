"""The journals of a data directory over HTTP: read-only, closed by default, and of no cost to whoever writes them.

It needs the extra `web` (starlette and uvicorn). Nothing else in the three packages imports it but the command that
starts it.

    names       what a stream is called in a URL
    hub         what is there now, and the wake-up of all who follow it
    glance      where one stream stands, and what is alarming about it
    tally       how many events of which kind, counted in the background
    accounts    statistics and reports, remembered as long as nothing is added
    events      the stream of events as SSE: a client is a position, not a buffer
    metrics     the same for Prometheus
    questions   each route as data: the router and /openapi.json are made from it
    routes      what each of them answers
    page        the files of the page
    gate        who is let in, and what every answer says to a browser
    server      sockets, patience and limits
"""
