"""A verifier from docs/format.md alone: python tests/proof/verifier.py DATA_DIR/journal/EXCHANGE/STRATEGY/SYMBOL."""

import json
import re
import sys
import zlib
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote

N = rb'\{"n":(?=.{6},) *([1-9]\d*),'
HEAD = re.compile(N + rb'"seq":(?=.{12},) *(0|[1-9]\d*),"t":"(?:0|[1-9]\d*)",')
TAIL = re.compile(rb', "h":"[0-9a-f]{16}"\}\n')
MARK = re.compile(rb'(\{"seq":(?=.{12},) *([1-9]\d*),"h":"([0-9a-f]{16})"),"c":"([0-9a-f]{8})"\}\n')


def whole(line: bytes) -> bool:
    head = HEAD.match(line)
    return head is not None and int(head[1]) == len(line) and TAIL.fullmatch(line[-26:]) is not None


def kind_of(line: bytes, before: bytes, count: int, seq: int, h: bytes, stream: dict[str, str]) -> str:
    """What the line behind `before` in its segment holds; empty where its link, kind or number is not the next."""
    if not whole(line) or sha256(h + line[:-26]).hexdigest()[:16].encode() != line[-19:-3]:
        return ""
    (_, (_, number), _, (kind, body), _) = json.loads(line).items()
    if kind == "events":
        return kind if before and number - len(body) == seq < number else ""
    if kind == "seal":
        return kind if (number, body) == (seq, {"count": count, "sha256": sha256(before).hexdigest()}) else ""
    about = before, number, body["version"], body["previous"], body["stream"]
    return kind if about == (b"", seq, 1, h.decode(), stream) else ""


def torn(rest: bytes, size: int, unit: int) -> bool:
    """Whether what stands behind the last line is free space, or an append that was never acknowledged."""
    (first, *others), n = rest.split(b"\n"), re.match(N, rest)
    if not rest.strip(b"\n\0"):
        return True
    if re.search(rb"[^\n -~]", rest) or size % unit or any(whole(line + b"\n") for line in others):
        return False
    long = n and (len(first) >= int(n[1]) - 1 or len(rest.rstrip(b"\n")) >= int(n[1]))
    return not first or not (long or TAIL.fullmatch((first + b"\n")[-26:]) or (others and others[0]))


def verify(files: dict[str, bytes], stream: dict[str, str], unit: int = 65536) -> tuple[str, str, int, int]:
    """("sound" or "damaged", the segment, the byte where its last good line ends, the last good seq)."""
    seq, h, known, name, rest, end, kind = 0, b"0" * 16, dict[int, bytes](), "", b"", 0, "seal"
    for name in (names := sorted(name for name in files if re.fullmatch(r"\d{20}\.jsonl", name))):
        end, count, kind = 0, 0, "start" if int(name[:20]) == seq + 1 else "seal"
        while kind != "seal" and (rest := files[name][end:]):
            line = rest[: rest.find(b"\n") + 1]
            if not (kind := kind_of(line, files[name][:end], count, seq, h, stream)):
                break
            seq, h, end, count = int(line[18:30]), line[-19:-3], end + len(line), count + (kind == "events")
            known |= {seq: h} if kind == "events" else {}
        if not end or (name != names[-1] and kind != "seal") or (kind == "seal" and files[name][end:].strip(b"\n")):
            return "damaged", name, end, seq
    mark = MARK.fullmatch(files.get("MARK", b""))
    gone = mark and b"%08x" % zlib.crc32(mark[1]) == mark[4] and known.get(int(mark[2])) != mark[3]
    good = not gone and (kind == "seal" or torn(rest, len(files[name]), unit))
    return "sound" if good else "damaged", name, end, seq


if __name__ == "__main__":
    names = dict[str, str](
        zip(("exchange", "strategy", "symbol"), map(unquote, Path(sys.argv[1]).parts[-3:]), strict=True)
    )
    print(*verify({path.name: path.read_bytes() for path in Path(sys.argv[1]).iterdir() if path.is_file()}, names))
