"""The filters that are measured, as data: what each is started with for each case.

A command's words are a shell's, without expansions; they name {files} (the input; where no pipe is measured it is at
standard input, too), {kernels}, {traffic} and {seconds}."""
import sys

from tables import Peer
from texts import LINES, TEXTS

WIDE = 4  # for who is quick: the input is read so many times over
NARROW = 1 / 4  # for who needs seconds for a text


def on_texts(case, command):
    return {f'{case}-{text}': command for text in TEXTS}


def on_lines(case, command):
    return {f'{case}-{lines}': command for lines in LINES}


def upper(name, program, beside=False):
    """Ours, from a path."""
    return Peer(name, str(program), f'{program} --version', {
        **on_texts('upper-pipe', str(program)),
        **on_texts('upper-file', f'{program} {{files}}'),
        **on_texts('upper-write', f'{program} {{files}}'),
        'upper-start': str(program),
        'upper-peak': f'{program} {{files}}',
    }, beside=beside, share=WIDE)


def count_lines(name, program, threads_option, beside=False):
    """Ours, from a path; with one thread, too, where it knows that there may be more."""
    return Peer(name, str(program), f'{program} --version', {
        **(on_lines('count-one', f'{program} --threads=1 {{files}}') if threads_option else {}),
        **on_lines('count-file', f'{program} {{files}}'),
        **on_lines('count-pipe', str(program)),
        **on_lines('count-pass', f'{program} --pass'),
        'count-sparse': f'{program} {{files}}',
        'count-start': str(program),
        'count-peak': f'{program} {{files}}',
    }, beside=beside)


def kernel(name, environment=(), benchmark='upper', **fields):
    """One benchmark of tests/bench/kernels.cc, under its name there."""
    return Peer(name, commands=on_texts('upper-memory', ' '.join((
        'env', *environment, '{kernels} --benchmark_format=json --benchmark_min_time={seconds}',
        f'--benchmark_filter=^{benchmark}$ {{files}}'))), share=1 / 16, **fields)


def turned(name, command, version='', with_files=False, share=NARROW):
    """A program that turns its input to upper case, or to what comes near to that."""
    program = command.split()[0]
    reading = command + ' {files}' if with_files else command
    return Peer(name, program, version, {**on_texts('upper-pipe', command), **on_texts('upper-file', reading)},
                share=share)


KERNELS = [
    kernel('upper'),
    *(kernel(f'upper {isa}', (f'SLUICE_ISA={isa}',), beside=True) for isa in ('avx512', 'avx2', 'scalar')),
    kernel('ICU', benchmark='ICU'),
    kernel('memcpy', benchmark='memcpy', limit=True),
]

PEERS = [
    # tr and dd know ASCII only, and read nothing but standard input.
    Peer('tr', 'tr', 'tr --version', {
        **on_texts('upper-pipe', 'tr a-z A-Z'), **on_texts('upper-file', 'tr a-z A-Z'),
        **on_texts('upper-write', 'tr a-z A-Z'), 'upper-start': 'tr a-z A-Z', 'upper-peak': 'tr a-z A-Z',
    }),
    Peer('dd', 'dd', '', {
        **on_texts('upper-pipe', 'dd conv=ucase bs=64k status=none'),
        **on_texts('upper-file', 'dd conv=ucase bs=64k status=none'),
        **on_texts('upper-write', 'dd conv=ucase bs=64k status=none'),
    }),
    turned('uconv', 'uconv -x Any-Upper', 'uconv --version', with_files=True),
    turned('sed', r"sed 's/.*/\U&/'", 'sed --version', with_files=True),
    turned('perl', "perl -CSD -ne 'print uc'", 'perl --version', with_files=True),
    # By path, since the one that a search finds may be a script that searches for another.
    turned('python3', f"{sys.executable} -c 'import sys; sys.stdout.writelines(line.upper() for line in sys.stdin)'",
           f'{sys.executable} --version'),
    Peer('cat', 'cat', 'cat --version', {
        **on_texts('upper-pipe', 'cat'), **on_texts('upper-file', 'cat {files}'),
        **on_texts('upper-write', 'cat {files}'), **on_lines('count-pipe', 'cat'), **on_lines('count-pass', 'cat'),
    }, limit=True, share=WIDE),
    Peer('wc -l', 'wc', 'wc --version', {
        **on_lines('count-one', 'wc -l {files}'), **on_lines('count-file', 'wc -l {files}'),
        **on_lines('count-pipe', 'wc -l'), 'count-sparse': 'wc -l {files}', 'count-start': 'wc -l',
        'count-peak': 'wc -l {files}',
    }),
    Peer('pv -l', 'pv', 'pv --version', on_lines('count-pass', 'pv -lf')),
    Peer('read()', commands={**on_lines('count-one', '{traffic} read {files}'),
                             **on_lines('count-file', '{traffic} read {files}')}, limit=True),
    Peer('true', 'true', '', dict.fromkeys(('upper-start', 'count-start'), 'true'), limit=True),
]
