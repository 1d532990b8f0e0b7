"""What the commands of the bench share: options, the build, rounds in which all take turns, and the report."""
import argparse
import functools
import pathlib
import shutil
import signal
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / 'tests'))

from partners import bench as partners  # noqa: E402
from programs import Failed, OthersWatch  # noqa: E402
from tables import BEST  # noqa: E402
import report  # noqa: E402

FILES = '''
Installs what is missing (Debian 12; root or sudo), builds, and measures all peers of a case in turn, round by round,
so that what disturbs one disturbs them all. Prints tables of medians and ratios; the output folder gets them as
table.md, what README.md shows of them as summary.md, all samples as samples.json, and plot.svg.
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


def named_path(text, wanted, suits):
    """NAME=PATH, where the path suits."""
    name, equals, path = text.partition('=')
    if not (name and equals and suits(path)):
        raise argparse.ArgumentTypeError(f'a name and {wanted} are wanted, not {text}')
    return name, pathlib.Path(path).resolve()


def names_of(cases):
    """All that --only may name, in the tables' order."""
    return dict.fromkeys(name for case in cases for name in (*case.groups, case.name))


def cases_of(text, cases):
    """The cases that a list of names and groups names."""
    wanted, known = text.split(','), names_of(cases)
    if unknown := [name for name in wanted if name not in known]:
        raise argparse.ArgumentTypeError(f'no case is named {unknown[0]}; there are {", ".join(sorted(known))}')
    return [case for case in cases if not {case.name, *case.groups}.isdisjoint(wanted)]


def option_parser(name, description, cases, output):
    """With the options that all have; `output` is the default's name in the build folder."""
    parser = argparse.ArgumentParser(f'tests/bench/{name}', description=description + FILES, allow_abbrev=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rounds', type=positive, default=3, metavar='N', help='rounds (3)')
    parser.add_argument('--only', type=functools.partial(cases_of, cases=cases), default=cases,
                        metavar='NAME[,NAME]', help='cases or groups of them: ' + ', '.join(names_of(cases)))
    parser.add_argument('--quick', action='store_true', help='small sizes, to try the bench itself')
    parser.add_argument('--build', type=pathlib.Path, default='build', metavar='DIR', help='build there (build)')
    parser.add_argument('--output', type=pathlib.Path, metavar='DIR', help=f'put results there (build/{output})')
    parser.set_defaults(default_output=output)
    return parser


def prepare(options):
    """Builds; the folders of the build and of the results."""
    if subprocess.run(['sh', '-c', BUILD, options.build], check=False).returncode != 0:
        raise SystemExit(1)
    build = options.build.resolve()
    output = options.output or build / options.default_output
    output.mkdir(parents=True, exist_ok=True)
    return build, output


def check_tables(cases, peers, targets):
    """A target that names what is not there would never be judged."""
    metrics = {(case.name, metric.name) for case in cases for metric in case.metrics}
    names = {peer.name for peer in peers}
    for target in targets:
        assert (target.case, target.metric) in metrics, target
        assert target.against in ('', BEST) or target.against in names, target
        assert not target.of or target.of in names, target


def knows_option(program, option):
    return option in subprocess.run([program, '--help'], capture_output=True, text=True, check=False).stdout


def installed(peers):
    """Those whose programs are there; says which are not."""
    missing = sorted({peer.program for peer in peers if peer.program and not shutil.which(peer.program)})
    for program in missing:
        print(f'==> going on without {program}, which is not installed')
    return [peer for peer in peers if peer.program not in missing]


def version_of(peer):
    if not peer.version:
        return None
    done = subprocess.run(peer.version.split(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    return next((line.strip() for line in done.stdout.splitlines() if any(map(str.isdigit, line))), None)


def measure(cases, peers, open_bench, number, samples):
    """One round: adds a sample of each case and peer to samples[case][peer][number], and returns what failed."""
    failures = []
    widths = [max((len(row.name) for row in rows), default=0) for rows in (cases, peers)]
    for case in cases:
        entrants = [peer for peer in peers if case.name in peer.commands]
        # Nobody always comes behind the same one.
        turn = number % len(entrants)
        for peer in entrants[turn:] + entrants[:turn]:
            start = f'round {number + 1}: {case.name:{widths[0]}} {peer.name:{widths[1]}}'
            try:
                with open_bench() as bench:
                    figures = case.run(bench, case, peer)
            except (Failed, partners.Failed, OSError) as failure:
                failures.append(f'{case.name}, {peer.name}: {failure}')
                print(f'{start} FAILED: {failure}', flush=True)
                continue
            samples.setdefault(case.name, {}).setdefault(peer.name, {})[number] = figures
            print(start, report.figures_text(case, figures), flush=True)
    return failures


def run(options, cases, peers, targets, sizes, open_bench, build, output, reference='', failures=()):
    """All rounds and the report, whose summary always shows the peer `reference`; the exit status. `failures` are
    those that came before."""
    samples, failures, others = {}, list(failures), []
    for number in range(options.rounds):
        watch = OthersWatch()
        failures += measure(cases, peers, open_bench, number, samples)
        others.append(watch.share())
    results = report.Results(cases, peers, targets, samples, failures, others, sizes, options.rounds, reference)
    results.write(output, build, {peer.name: version for peer in peers if (version := version_of(peer))})
    return 1 if failures else 0


def exit_with(main):
    """Runs a main; ends quietly, but having cleaned up, when it is asked to."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
