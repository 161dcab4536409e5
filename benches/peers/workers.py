"""What the comparisons share: workers that are measured in turn while the machine is quiet, and tables."""

import json
import os
import select
import subprocess
import time
from pathlib import Path

from common import say

# The first answer of a worker for a network waits for torch.compile.
ANSWER_SECONDS = 600
SETTLE_SECONDS = 0.05
# OpenMP, which PyTorch uses, may become many times slower when something else runs.
BUSY_WARNING = 0.05


class Failed(Exception):
    """Something did not run; the message says why, in a few words."""


def last_line(text):
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"


class Worker:
    """A process that answers one JSON line to each, started when first asked."""

    def __init__(self, command, log):
        self.command, self.log = command, log
        self.process = None

    def ask(self, **request):
        if self.process is None or self.process.poll() is not None:
            self.start()
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
            answer = self.read_line()
        except OSError:
            answer = b""
        if not answer:
            self.process.wait()
            raise Failed(f"exit {self.process.returncode}: {last_line(self.log.read_text(errors='replace'))}")
        try:
            answer = json.loads(answer)
        except ValueError:
            self.stop()
            raise Failed(f"not JSON: {answer.decode(errors='replace')}") from None
        if "error" in answer:
            raise Failed(answer["error"])
        return answer

    def start(self):
        try:
            with self.log.open("ab") as log:
                self.process = subprocess.Popen(
                    self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, bufsize=0
                )
        except OSError as error:
            raise Failed(f"{self.command[0]}: {error.strerror}") from None

    def read_line(self):
        line = b""
        deadline = time.monotonic() + ANSWER_SECONDS
        while not line.endswith(b"\n"):
            if not select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))[0]:
                self.stop()
                raise Failed(f"no answer in {ANSWER_SECONDS} s")
            part = os.read(self.process.stdout.fileno(), 65536)
            if not part:
                return b""
            line += part
        return line

    def stop(self):
        if self.process is not None:
            self.process.stdin.close()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process.stdout.close()
            self.process = None


class Quiet:
    """Pauses between measurements, and how busy other programs keep the machine meanwhile."""

    busy = total = 0
    patience = 300  # seconds altogether

    @staticmethod
    def times():
        """Busy and all processor time so far, in clock ticks; Linux only."""
        try:
            ticks = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
        except OSError:
            return 0, 0
        return sum(ticks) - ticks[3] - ticks[4], sum(ticks)

    def pause(self):
        """Until the threads of the last one measured have stopped spinning and nobody else is busy."""
        while True:
            time.sleep(SETTLE_SECONDS)
            before = self.times()
            time.sleep(SETTLE_SECONDS)
            after = self.times()
            busy, total = after[0] - before[0], after[1] - before[1]
            if self.patience <= 0 or busy <= 0.2 * total:
                break
            self.patience -= 2 * SETTLE_SECONDS
            if self.patience <= 0:
                say("warning: other programs keep this machine busy, going on nonetheless")
        self.busy += busy
        self.total += total

    def share(self):
        return self.busy / self.total if self.total else None

    def warn(self):
        """Says so where that was too much for the figures to be trusted."""
        if (self.share() or 0) > BUSY_WARNING:
            say(f"warning: other programs used {self.share():.0%} of the processors between the measurements")


QUIET = Quiet()


def rotated(items, by):
    by %= len(items)
    return items[by:] + items[:by]


def row_name(what, network, batch):
    return f"{what} {network}, batch {batch}"


def table(header, lines):
    """A Markdown table, its columns aligned."""
    lines = [header, *lines]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    show = lambda cells: "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths)) + " |"
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([show(header), rule, *map(show, lines[1:])])
