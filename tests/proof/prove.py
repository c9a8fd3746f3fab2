"""The long versions of the proof, one after the other, with the counts that each reached.

python -m tests.proof.prove [PART …] [--states N] [--seed N] [--journals N] [--kills N] [--runs N] [--events N]
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.proof.test_kills import kept_its_promise, run

ROOT = Path(__file__).parents[2]
WORKERS = 2


def command(*words: str, **variables: int) -> int:
    env = {**os.environ, **{name: str(number) for name, number in variables.items()}}
    return subprocess.run([sys.executable, "-m", *words], cwd=ROOT, env=env, check=False).returncode


def crash(asked: argparse.Namespace) -> int:
    return command("tests.proof.crash", "--states", str(asked.states), "--seed", str(asked.seed))


def harm(asked: argparse.Namespace) -> int:
    return command("tests.proof.harm", "--seeds", str(asked.journals))


def mutants(asked: argparse.Namespace) -> int:
    return command("pytest", "-q", "-n", str(WORKERS), "tests/proof/test_mutants.py")


def calls(asked: argparse.Namespace) -> int:
    return command("pytest", "-q", "-n", str(WORKERS), "tests/proof/test_failing_calls.py")


def kills(asked: argparse.Namespace) -> int:
    """Stories from seeds, each killed before every one of its calls, until there were enough kills."""
    done = wrong = stories = 0
    with ThreadPoolExecutor(WORKERS) as pool:
        for first in itertools.count(asked.seed, WORKERS):
            for found in pool.map(killed, range(first, first + WORKERS)):
                stories += 1
                done += sum(kill["killed"] is True for kill in found)
                wrong += sum(not kept_its_promise(kill) for kill in found)
            if wrong or done >= asked.kills:
                break
    print(f"{done} kills before each call of {stories} stories (seeds from {asked.seed}), {wrong} broken promises")
    return int(wrong > 0)


def killed(seed: int) -> list[dict[str, object]]:
    with tempfile.TemporaryDirectory() as place:
        told = run("-m", "tests.proof.killed", f"{place}/data", "1", "0", str(seed))
    if told.returncode:
        raise RuntimeError(told.stderr)
    return [json.loads(line) for line in told.stdout.splitlines()[1:]]


def machine(asked: argparse.Namespace) -> int:
    return command("pytest", "-q", "tests/proof/test_state_machine.py", TICKFOLD_STATE_MACHINE_RUNS=asked.runs)


def followers(asked: argparse.Namespace) -> int:
    return command("pytest", "-q", "tests/proof/test_followers.py", TICKFOLD_FOLLOWED_EVENTS=asked.events)


def replays(asked: argparse.Namespace) -> int:
    return command(
        "pytest", "-q", "-rP", "-n", str(WORKERS), "tests/parity/test_kills.py", TICKFOLD_KILLS=asked.replays
    )


def faults(asked: argparse.Namespace) -> int:
    real = [f"tests/proof/test_{name}.py" for name in ("real_faults", "kills", "injection")]
    return command("pytest", "-q", "-rs", "-n", str(WORKERS), *real, TICKFOLD_EVERY_INJECTION=1)


PARTS = {
    "mutants": mutants,
    "calls": calls,
    "crash": crash,
    "harm": harm,
    "kills": kills,
    "replays": replays,
    "machine": machine,
    "followers": followers,
    "faults": faults,
}


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the long versions of the proof and print what was reached.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; without any, all")
    parser.add_argument("--states", type=int, default=20_000_000, help="crash states")
    parser.add_argument("--seed", type=int, default=1, help="the first seed of scripts and stories")
    parser.add_argument("--journals", type=int, default=200, help="journals that are damaged; 50,000 copies of each")
    parser.add_argument("--kills", type=int, default=20_000, help="kill -9")
    parser.add_argument("--replays", type=int, default=600, help="kills of a replayed month and of its reader")
    parser.add_argument("--runs", type=int, default=10_000, help="runs of the state machine")
    parser.add_argument("--events", type=int, default=10_000_000, help="events that sixteen processes follow")
    asked = parser.parse_args()
    failed = []
    for part in asked.parts or PARTS:
        started = time.perf_counter()
        print(f"== {part}", flush=True)
        failed += [part] if PARTS[part](asked) else []
        print(f"   {time.perf_counter() - started:.0f} s", flush=True)
    print(f"Failed: {', '.join(failed)}" if failed else "Everything held.")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
