"""How candles get into an archive, and whether those in it are sound.

download  from any source, month by month, resumable
keeper    what live uses, off its hot path
verify    every file, against its digest and against what candles must be
"""
