"""What is measured of filters, as data, and how: each case gives its figures for one peer at a time."""
import dataclasses
import json
import os
import pathlib
import shlex
import subprocess
import time

from programs import DEADLINE, Bench, Failed, Program, start_up
from tables import CPU, START, Case, Metric
from texts import LINES, TEXTS, block

RATE = Metric('rate', 'GB/s', True, 3)  # of some no more than hundredths
ELAPSED = Metric('elapsed', 's', digits=3)
PEAK = Metric('peak', 'MB at most')
BLOCKS = 16  # of these a text consists, all the same, so that writing it takes no time worth speaking of


@dataclasses.dataclass(frozen=True)
class Sizes:
    text: int = 64 << 20  # bytes, or a little more
    lines: int = 512 << 20  # of what lines are counted in
    sparse: int = 10**12
    seconds: float = 0.5  # of what is measured by time
    starts: int = 300

    @property
    def room(self):
        """What all files together take: texts, parts of them, what one comes to that is read many times over."""
        return len(LINES) * self.lines + (2 * len(TEXTS) + 4) * self.text


QUICK = {'text': 4 << 20, 'lines': 32 << 20, 'seconds': 0.05, 'starts': 20}


@dataclasses.dataclass(frozen=True)
class Input:
    paths: list
    size: int


class Inputs:
    """Texts as files, written when they are first asked for."""

    def __init__(self, folder, sizes):
        self.folder = pathlib.Path(folder)
        self.sizes = sizes
        self.blocks = {}

    def block(self, name):
        if name not in self.blocks:
            self.blocks[name] = block(name, self.sizes.text // BLOCKS)
        return self.blocks[name]

    def file(self, name, share=1):
        """That share of a text; more than one is the text so many times over."""
        size = self.sizes.lines if name in LINES else self.sizes.text
        count = int(size / (self.sizes.text // BLOCKS) * min(share, 1))
        path = self.folder / f'{name}-{count}'
        if not path.exists():
            with open(path, 'wb') as made:
                for _ in range(count):
                    made.write(self.block(name))
        times = max(1, int(share))
        return Input([path] * times, path.stat().st_size * times)

    def hole(self, size):
        """A file that is nothing but a hole, which reads as zeros."""
        path = self.folder / f'hole-{size}'
        with open(path, 'wb') as made:
            made.truncate(size)
        return Input([path], size)


class FilterBench(Bench):
    """With the inputs, which outlive it."""

    def __init__(self, traffic, sizes, inputs):
        super().__init__(traffic, sizes)
        self.inputs = inputs

    def words(self, case, peer, given):
        command = peer.commands[case.name]
        return shlex.split(command.format(
            files=shlex.join(map(str, given.paths)), traffic=self.traffic_program,
            kernels=self.traffic_program.parent / 'kernels', seconds=self.sizes.seconds))

    def program(self, words, **streams):
        program = Program(words, **streams)
        self.stack.callback(program.end)
        return program

    def pipe(self):
        """Where it is read and where it is written."""
        ends = zip(os.pipe(), ('rb', 'wb'))
        return [self.stack.enter_context(open(end, mode, buffering=0)) for end, mode in ends]

    def run(self, words, given, stdout=subprocess.DEVNULL):
        """Runs a program over a file; what it took."""
        with open(given.paths[0], 'rb') as stdin:
            return self.traffic('run', *words, stdin=stdin, stdout=stdout).figures()


def text_of(case):
    """The last part of a case's name."""
    return case.name.rpartition('-')[2]


def input_of(bench, case, peer):
    return bench.inputs.file(text_of(case), peer.share)


def rate_of(given, nanoseconds, cpu):
    return {'rate': given.size / nanoseconds, 'cpu': cpu / (given.size / 1e9)}


def passed(bench, case, peer):
    """cat FILE | filter | a reader, from cat's start to the end of what is read."""
    given = input_of(bench, case, peer)
    filter_in, feeder_out = bench.pipe()
    sink_in, filter_out = bench.pipe()
    sink = bench.traffic('receive', '-', stdin=sink_in)
    measured = bench.program(bench.words(case, peer, given), stdin=filter_in, stdout=filter_out)
    start = time.monotonic_ns()
    bench.program(['cat', *given.paths], stdout=feeder_out)
    for end in (filter_in, feeder_out, sink_in, filter_out):
        end.close()
    said = sink.figures()
    measured.wait(DEADLINE)
    if said['bytes'] < given.size:
        raise Failed(f'{said["bytes"]} bytes arrived of {given.size}')
    return rate_of(given, said['end'] - start, measured.cpu())


def piped(bench, case, peer):
    """cat FILE | filter > /dev/null, from cat's start to the filter's end."""
    given = input_of(bench, case, peer)
    filter_in, feeder_out = bench.pipe()
    measured = bench.program(bench.words(case, peer, given), stdin=filter_in)
    start = time.monotonic_ns()
    bench.program(['cat', *given.paths], stdout=feeder_out)
    filter_in.close()
    feeder_out.close()
    measured.wait(DEADLINE)
    return rate_of(given, time.monotonic_ns() - start, measured.cpu())


def read(bench, case, peer):
    """filter FILE > /dev/null, from its start to its end."""
    given = input_of(bench, case, peer)
    said = bench.run(bench.words(case, peer, given), given)
    return rate_of(given, said['elapsed'], said['cpu'] / 1e9)


def written(bench, case, peer):
    """filter FILE > a new file in memory."""
    given = input_of(bench, case, peer)
    with open(bench.folder / 'out', 'wb') as out:
        said = bench.run(bench.words(case, peer, given), given, out)
    if (arrived := (bench.folder / 'out').stat().st_size) < given.size:
        raise Failed(f'{arrived} bytes arrived of {given.size}')
    return rate_of(given, said['elapsed'], said['cpu'] / 1e9)


def in_memory(bench, case, peer):
    """A benchmark of a program that runs for a while and tells its own figures."""
    with open(bench.folder / 'out', 'w+b') as out:
        bench.program(bench.words(case, peer, input_of(bench, case, peer)), stdout=out).wait(DEADLINE)
        out.seek(0)
        row = json.load(out)['benchmarks'][0]
    if row.get('error_occurred'):
        raise Failed(row['error_message'])
    return {'rate': row['bytes_per_second'] / 1e9}


def sparse(bench, case, peer):
    """A file that is one hole. A thousandth of it tells about how long the whole takes; who would need minutes is not
    given it."""
    def seconds(parts):
        given = bench.inputs.hole(bench.sizes.sparse // parts)
        return bench.run(bench.words(case, peer, given), given)['elapsed'] / 1e9 * parts

    estimate = seconds(1000)
    return {'elapsed': estimate if estimate > DEADLINE / 2 else seconds(1)}


def peak(bench, case, peer):
    """The most memory that a filter has held of a large input; the kernel keeps the mark while the program runs."""
    given = bench.inputs.file('mixed' if case.ours == 'upper' else 'short', peer.share)
    mark = 0
    with open(given.paths[0], 'rb') as stdin:
        measured = bench.program(bench.words(case, peer, given), stdin=stdin)
        while not measured.ended():
            mark = max(mark, memory_mark_of(measured.pid))
    measured.wait(0)
    if not mark:
        raise Failed('it ended too soon to be looked at')
    return {'peak': mark / 1e6}


def memory_mark_of(pid):
    """VmHWM in bytes; 0 of what has just ended."""
    for line in pathlib.Path(f'/proc/{pid}/status').read_text().splitlines():
        if line.startswith('VmHWM:'):
            return int(line.split()[1]) * 1024
    return 0


def over(kinds, tool, prefix, title, metrics, run):
    """A case for each kind of text."""
    return [Case(f'{prefix}-{name}', (prefix, prefix.partition('-')[0], name), f'{title}, {called}', metrics, run, tool)
            for name, (called, _) in kinds.items()]


CASES = [
    *over(TEXTS, 'upper', 'upper-pipe', 'upper, pipes', (RATE, CPU), passed),
    *over(TEXTS, 'upper', 'upper-file', 'upper, file to /dev/null', (RATE, CPU), read),
    *over(TEXTS, 'upper', 'upper-write', 'upper, file to file', (RATE, CPU), written),
    *over(TEXTS, 'upper', 'upper-memory', 'upper, in memory', (RATE,), in_memory),
    *over(LINES, 'count-lines', 'count-one', 'count-lines, file, one thread', (RATE, CPU), read),
    *over(LINES, 'count-lines', 'count-file', 'count-lines, file', (RATE, CPU), read),
    *over(LINES, 'count-lines', 'count-pipe', 'count-lines, pipe', (RATE, CPU), piped),
    *over(LINES, 'count-lines', 'count-pass', 'count-lines --pass, pipes', (RATE, CPU), passed),
    Case('count-sparse', ('count',), 'count-lines, 1 TB of nothing', (ELAPSED,), sparse, 'count-lines'),
    Case('upper-start', ('upper', 'start-up'), 'start-up: upper of nothing', (START,), start_up, 'upper'),
    Case('count-start', ('count', 'start-up'), 'start-up: count-lines of nothing', (START,), start_up, 'count-lines'),
    Case('upper-peak', ('upper', 'memory'), 'memory: upper of a large file', (PEAK,), peak, 'upper'),
    Case('count-peak', ('count', 'memory'), 'memory: count-lines of a large file', (PEAK,), peak, 'count-lines'),
]
