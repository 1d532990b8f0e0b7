"""Measures upper and count-lines beside other filters; tests/bench/filters runs it."""
import functools
import os
import pathlib
import shutil
import subprocess
import tempfile

import command  # first: it says where the others' modules are
from filter_cases import CASES, QUICK, FilterBench, Inputs, Sizes
from filter_peers import KERNELS, PEERS, count_lines, upper
from filter_targets import TARGETS
from texts import LINES, TEXTS

DESCRIPTION = 'Measure upper and count-lines beside their peers and the targets.'
TOOLS = ('upper', 'count-lines')


def command_line():
    parser = command.option_parser('filters', DESCRIPTION, CASES, 'bench-filters')
    parser.add_argument('--beside', action='append', default=[], metavar='NAME=TOOLS',
                        type=functools.partial(
                            command.named_path, wanted=f'a folder that holds {" and ".join(TOOLS)}',
                            suits=lambda path: all(os.access(os.path.join(path, tool), os.X_OK) for tool in TOOLS)),
                        help="also measure another build's tools, which are in that folder")
    return parser.parse_args()


def kernels_of(program):
    """The benchmarks in memory that this build and processor can run; says why others cannot."""
    if not program.exists():
        print('==> nothing is measured in memory: Google Benchmark was not there when the build folder was set up')
        return []
    listed = subprocess.run([program, '--benchmark_list_tests', '/dev/zero'], capture_output=True, text=True,
                            check=True).stdout.split()
    without = set()
    if 'ICU' not in listed:
        print('==> going on without ICU, which was not there when the build folder was set up')
        without.add('ICU')
    # The library reads the variable's name, or has no kernels to choose from.
    chosen = b'SLUICE_ISA' in program.read_bytes()
    if not chosen:
        print('==> upper is measured as it is: this build does not know SLUICE_ISA')
    flags = pathlib.Path('/proc/cpuinfo').read_text().split()
    for isa, flag in (('scalar', ''), ('avx2', 'avx2'), ('avx512', 'avx512vbmi')):
        if not chosen or flag and flag not in flags:
            without.add(f'upper {isa}')
            if chosen:
                print(f'==> going on without {isa}: the processor lacks {flag}')
    return [peer for peer in KERNELS if peer.name not in without]


def all_peers(build, beside):
    """Ours first, then those that are installed."""
    ours = []
    for name, tools in [('', build / 'tools'), *beside]:
        counter = tools / 'count-lines'
        ours += [upper(name or 'upper', tools / 'upper', bool(name)),
                 count_lines(name or 'count-lines', counter, command.knows_option(counter, '--threads'), bool(name))]
    return ours + kernels_of(build / 'tests/bench/kernels') + command.installed(PEERS)


def possible(cases, peers):
    """The cases that ours can be measured in; says which others there are."""
    can = {(case_name, peer.name) for peer in peers for case_name in peer.commands}
    left_out = [case.name for case in cases if (case.name, case.ours) not in can]
    if left_out:
        print(f'==> left out, since this build of ours cannot do it: {", ".join(left_out)}')
    return [case for case in cases if case.name not in left_out]


def output_of(program, *words, stdin=subprocess.DEVNULL):
    return subprocess.run([program, *words], stdin=stdin, stdout=subprocess.PIPE, check=False).stdout


def check_upper(program, inputs, texts):
    """Whether each text comes out as Unicode has it; yields what went wrong. That only ASCII letters are turned is
    said, and no failure."""
    only_ascii = []
    for name in texts:
        text = inputs.block(name)
        path = inputs.file(name, 1 / 16).paths[0]
        came = output_of(program, path)
        if came == text.decode().upper().encode():
            continue
        if came == text.upper():  # of bytes: ASCII only
            only_ascii.append(name)
        else:
            yield f'upper, {name}: {len(came)} bytes came of {len(text)}, and they are not the text in upper case'
    if only_ascii:
        print(f'==> upper turns only ASCII letters, so there was less to do for it in: {", ".join(only_ascii)}')


def check_count(program, inputs, texts):
    """Whether each text's lines are counted, and passed as they are; yields what went wrong."""
    for name in texts:
        text = inputs.block(name)
        given = inputs.file(name)
        wanted = text.count(b'\n') * (given.size // len(text))
        if (said := output_of(program, given.paths[0]).decode()).split()[:1] != [str(wanted)]:
            yield f'count-lines, {name}: it says {said!r} of {wanted} lines'
        with open(inputs.file(name, len(text) / given.size).paths[0], 'rb') as stdin:
            if output_of(program, '--pass', stdin=stdin) != text:
                yield f'count-lines --pass, {name}: what it passed is not what came'


def check(tools, inputs, cases):
    """Looks once at what comes out; what went wrong."""
    named = {tool: {case.name.rpartition('-')[2] for case in cases if case.ours == tool} for tool in TOOLS}
    return [*check_upper(tools / 'upper', inputs, [text for text in TEXTS if text in named['upper']]),
            *check_count(tools / 'count-lines', inputs, [text for text in LINES if text in named['count-lines']])]


def main():
    options = command_line()
    os.environ['LC_ALL'] = 'C.UTF-8'  # or sed, perl and others would not know the letters
    command.check_tables(CASES, [*PEERS, *KERNELS], TARGETS)
    build, output = command.prepare(options)

    sizes = Sizes(**(QUICK if options.quick else {}))
    peers = all_peers(build, options.beside)
    cases = possible(options.only, peers)
    # On a disk, as what users read; from its page cache, so that no disk is measured.
    with tempfile.TemporaryDirectory(prefix='texts-', dir=output) as folder:
        if (free := shutil.disk_usage(folder).free) < sizes.room:
            raise SystemExit(f'tests/bench/filters: {folder} has room for {free >> 20} MiB, and {sizes.room >> 20} are '
                             'needed; with --quick, less')
        inputs = Inputs(folder, sizes)
        failures = check(build / 'tools', inputs, cases)
        open_bench = functools.partial(FilterBench, build / 'tests/bench/traffic', sizes, inputs)
        return command.run(options, cases, peers, TARGETS, sizes, open_bench, build, output, failures=failures)


if __name__ == '__main__':
    command.exit_with(main)
