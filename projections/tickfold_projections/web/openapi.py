"""/openapi.json, made from the questions and from the types of the answers."""

from __future__ import annotations

from typing import Any

import msgspec

from .accounts import MEDIA
from .questions import QUESTIONS, Fault, Parameter, Question

_MEANING = {
    400: "A parameter is wrong; the text says what it may be.",
    404: "There is no such stream; the text lists those that exist.",
    409: "The journal cannot be read there, or is another one.",
    413: "It would be too long; the text says how to ask for less.",
    503: "Too much is asked for at this moment, or it is not ready yet.",
}


def openapi(version: str) -> dict[str, Any]:
    """The description of the server, as OpenAPI 3.1."""
    types = [question.answer for question in QUESTIONS if not isinstance(question.answer, str)]
    _, schemas = msgspec.json.schema_components([*types, Fault], ref_template="#/components/schemas/{name}")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tickfold",
            "version": version,
            "description": "The journals of a data directory, read-only. Times are ms since the epoch, UTC.",
        },
        "paths": {question.path: {"get": _operation(question)} for question in QUESTIONS},
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],
    }


def _operation(question: Question) -> dict[str, Any]:
    parameters = [_parameter(each, "query") for each in question.parameters]
    if "{id}" in question.path:
        parameters.insert(0, _parameter(Parameter("id", "The id of a stream.", needed=True), "path"))
    if question.answer == "text/event-stream":
        parameters.append(_parameter(Parameter("Last-Event-ID", "A position that was handed out here."), "header"))
    errors = {400, *question.errors}
    return {
        "operationId": question.name,
        "summary": question.text,
        "parameters": parameters,
        "responses": {"200": {"description": question.text, "content": _content(question)}}
        | {str(status): _fault(status) for status in sorted(errors)},
    }


def _parameter(parameter: Parameter, place: str) -> dict[str, Any]:
    told = {"name": parameter.name, "in": place, "description": parameter.text, "schema": parameter.schema()}
    return told | {"required": parameter.needed}


def _content(question: Question) -> dict[str, Any]:
    if question.answer == "report":
        return {medium.partition(";")[0]: {} for medium in MEDIA.values()}
    if isinstance(question.answer, str):
        return {question.answer: {}}
    (schema,), _ = msgspec.json.schema_components([question.answer], ref_template="#/components/schemas/{name}")
    return {"application/json": {"schema": schema}}


def _fault(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Fault"}
    content = (
        {"text/plain": {}, "application/json": {"schema": schema}}
        if status == 503
        else {"application/json": {"schema": schema}}
    )
    return {"description": _MEANING[status], "content": content}
