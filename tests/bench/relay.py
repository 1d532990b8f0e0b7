"""Measures the tools beside their peers; tests/bench/relay runs it."""
import argparse
import dataclasses
import os
import pathlib
import shutil
import signal
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / 'tests'))

from cases import CASES, QUICK, Bench, Sizes  # noqa: E402
from partners import bench as partners  # noqa: E402
from peers import PEERS, Peer, sockcat  # noqa: E402
from programs import Failed, OthersWatch, raise_descriptor_limit  # noqa: E402
from targets import BEST, TARGETS  # noqa: E402
import report  # noqa: E402

DESCRIPTION = '''Measure sockcat, upper and count-lines beside their peers and the targets.
Installs what is missing (Debian 12; root or sudo; packages of servers may start these), builds, and measures all
peers of a case in turn, round by round, so that what disturbs one disturbs them all. Prints tables of medians and
ratios; the output folder gets them as table.md, what README.md shows of them as summary.md, all samples as
samples.json, and plot.svg.
Paths are relative to the project's folder.'''

BUILD = '''
. tests/packages
need build test || exit
need bench || say "going on without what is missing"
set_up "$0" && ninja -C "$0" bench-programs
'''


def positive(text):
    if not (text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f'a number above 0 is wanted, not {text}')
    return int(text)


def named_path(text):
    name, equals, path = text.partition('=')
    if not (name and equals and os.access(path, os.X_OK)):
        raise argparse.ArgumentTypeError(f'a name and a program are wanted, not {text}')
    return name, pathlib.Path(path).resolve()


def cases_of(text):
    """The cases that a list of names and groups names."""
    known = {name for case in CASES for name in (case.name, case.group)}
    wanted = text.split(',')
    if unknown := [name for name in wanted if name not in known]:
        raise argparse.ArgumentTypeError(f'no case is named {unknown[0]}; there are {", ".join(sorted(known))}')
    return [case for case in CASES if case.name in wanted or case.group in wanted]


def command_line():
    parser = argparse.ArgumentParser('tests/bench/relay', description=DESCRIPTION, allow_abbrev=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rounds', type=positive, default=3, metavar='N', help='rounds (3)')
    parser.add_argument('--only', type=cases_of, default=CASES, metavar='NAME[,NAME]',
                        help='cases or groups of them: ' + ', '.join(
                            dict.fromkeys(name for case in CASES for name in (case.group, case.name))))
    parser.add_argument('--quick', action='store_true', help='small sizes, to try the bench itself')
    parser.add_argument('--threads', type=positive, default=1, metavar='N',
                        help='threads of each server that can be told (1)')
    parser.add_argument('--beside', type=named_path, action='append', default=[], metavar='NAME=SOCKCAT',
                        help='also measure another build of sockcat')
    parser.add_argument('--build', default='build', metavar='DIR', help='build there (build)')
    parser.add_argument('--output', type=pathlib.Path, metavar='DIR', help='put results there (build/bench)')
    return parser.parse_args()


def check_tables():
    """A target that names what is not there would never be judged."""
    metrics = {(case.name, metric.name) for case in CASES for metric in case.metrics}
    names = {peer.name for peer in PEERS}
    for target in TARGETS:
        assert (target.case, target.metric) in metrics, target
        assert target.against in ('', BEST) or target.against in names, target


def knows_threads(program):
    return '--threads' in subprocess.run([program, '--help'], capture_output=True, text=True, check=False).stdout


def all_peers(tools, beside):
    """Ours first, then those that are installed."""
    ours = [sockcat('sockcat', tools / 'sockcat', knows_threads(tools / 'sockcat')),
            Peer('upper', str(tools / 'upper'), commands={'start-upper': str(tools / 'upper')}),
            Peer('count-lines', str(tools / 'count-lines'), commands={'start-count': str(tools / 'count-lines')})]
    ours += [sockcat(name, path, knows_threads(path), beside=True) for name, path in beside]
    present = [peer for peer in PEERS if not peer.program or shutil.which(peer.program)]
    for program in sorted({peer.program for peer in PEERS if peer not in present}):
        print(f'==> going on without {program}, which is not installed')
    return ours + present


def version_of(peer):
    if not peer.version:
        return None
    done = subprocess.run(peer.version.split(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    return next((line.strip() for line in done.stdout.splitlines() if any(map(str.isdigit, line))), None)


def measure(cases, peers, sizes, traffic, number, samples):
    """One round: adds a sample of each case and peer to samples[case][peer][number], and returns what failed."""
    failures = []
    for case in cases:
        entrants = [peer for peer in peers if case.name in peer.commands]
        # Nobody always comes behind the same one.
        turn = number % len(entrants)
        for peer in entrants[turn:] + entrants[:turn]:
            start = f'round {number + 1}: {case.name:14} {peer.name:14}'
            try:
                with Bench(traffic, sizes) as bench:
                    figures = case.run(bench, case, peer)
            except (Failed, partners.Failed, OSError) as failure:
                failures.append(f'{case.name}, {peer.name}: {failure}')
                print(f'{start} FAILED: {failure}', flush=True)
                continue
            samples.setdefault(case.name, {}).setdefault(peer.name, {})[number] = figures
            print(start, report.figures_text(case, figures), flush=True)
    return failures


def main():
    options = command_line()
    check_tables()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if subprocess.run(['sh', '-c', BUILD, options.build], check=False).returncode != 0:
        return 1
    build = pathlib.Path(options.build).resolve()
    output = options.output or build / 'bench'
    output.mkdir(parents=True, exist_ok=True)

    sizes = Sizes(threads=options.threads, **(QUICK if options.quick else {}))
    # A relayed client takes two descriptors of the relay; some are needed besides.
    limit = raise_descriptor_limit(2 * sizes.clients + 1000)
    if limit < 2 * sizes.clients + 1000:
        sizes = dataclasses.replace(sizes, clients=max(1, (limit - 1000) // 2))
        print(f'==> {sizes.clients} idle clients only: the limit of open files is {limit}')

    peers = all_peers(build / 'tools', options.beside)
    samples, failures, others = {}, [], []
    for number in range(options.rounds):
        watch = OthersWatch()
        failures += measure(options.only, peers, sizes, build / 'tests/bench/traffic', number, samples)
        others.append(watch.share())
    results = report.Results(options.only, peers, samples, failures, others, sizes, options.rounds)
    results.write(output, build, {peer.name: version for peer in peers if (version := version_of(peer))})
    return 1 if failures else 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
