"""Medians, ratios and targets of samples, as a table, JSON and a plot."""
import dataclasses
import json
import os
import pathlib
import platform
import statistics
import subprocess

from tables import BEST


def number_text(value, digits):
    return '–' if value is None else f'{value:,.{digits}f}'


def ratio_text(ratio):
    return '–' if ratio is None else f'{ratio:.2f}' if ratio < 10 else f'{ratio:.0f}'


def figures_text(case, figures):
    """One sample, for a line of progress."""
    return '  '.join(f'{number_text(figures[metric.name], metric.digits)} {metric.unit}'
                     for metric in case.metrics if metric.name in figures)


def machine():
    """Where it was measured."""
    model = platform.processor()
    for line in pathlib.Path('/proc/cpuinfo').read_text().splitlines():
        if line.startswith('model name'):
            model = line.partition(':')[2].strip()
            break
    return {'processor': model, 'processors': os.cpu_count(), 'kernel': platform.release()}


def build_options(build):
    shown = subprocess.run(['meson', 'introspect', '--buildoptions', build], capture_output=True, text=True,
                           check=False)
    wanted = ('buildtype', 'optimization', 'b_lto', 'b_sanitize')
    return {row['name']: row['value'] for row in json.loads(shown.stdout or '[]') if row['name'] in wanted}


@dataclasses.dataclass
class Results:
    cases: list
    peers: list
    targets: list
    samples: dict
    failures: list
    others: list  # what share of the processors others used, by round
    sizes: object
    rounds: int
    reference: str = ''  # a peer that the summary always shows

    def values(self, case, peer, metric):
        """By round; some may be missing."""
        rounds = self.samples.get(case.name, {}).get(peer, {})
        return {number: figures[metric.name] for number, figures in rounds.items() if metric.name in figures}

    def median(self, case, peer, metric):
        values = self.values(case, peer, metric)
        return statistics.median(values.values()) if values else None

    def ratio(self, case, peer, metric, ours=None):
        """Ours through theirs: the median of the rounds' ratios, since what disturbs a round disturbs both."""
        theirs = self.values(case, peer, metric)
        ratios = [value / theirs[number] for number, value in self.values(case, ours or case.ours, metric).items()
                  if theirs.get(number)]
        return statistics.median(ratios) if ratios else None

    def entrants(self, case):
        """Peers that have samples; two may share a name, but not a case."""
        return [peer for peer in self.peers
                if case.name in peer.commands and peer.name in self.samples.get(case.name, {})]

    def best(self, case, metric):
        """The name of the best of the others that do the same."""
        medians = {peer.name: value for peer in self.entrants(case)
                   if peer.name != case.ours and not peer.limit and not peer.beside
                   and (value := self.median(case, peer.name, metric)) is not None}
        choose = max if metric.more_is_better else min
        return choose(medians, key=medians.get, default=None)

    def judge(self, target):
        """A row of the table of targets; None if nothing was measured for it."""
        case = next((case for case in self.cases if case.name == target.case), None)
        metric = case and next(metric for metric in case.metrics if metric.name == target.metric)
        if not case:
            return None
        against = self.best(case, metric) if target.against == BEST else target.against
        ours = target.of or case.ours
        value = self.ratio(case, against, metric, ours) if target.against else self.median(case, ours, metric)
        if value is None:
            return None
        met = value >= target.factor if target.sign == '≥' else value <= target.factor
        wanted = f'{target.sign} {target.factor:g}' + (f' × {against}' if target.against else '')
        if target.against == BEST:
            wanted += ' (best peer)'
        title = f'{case.title}: {target.of}' if target.of else case.title
        return {'case': title, 'metric': metric.unit, 'wanted': wanted, 'measured': value, 'met': met}

    def verdicts(self):
        return [row for target in self.targets if (row := self.judge(target))]

    def case_rows(self, case):
        yield [case.title, *(cell for metric in case.metrics
                             for cell in (metric.unit, *['ours is ×'] * metric.compared))]
        for peer in self.entrants(case):
            row = [peer.name]
            for metric in case.metrics:
                row.append(number_text(self.median(case, peer.name, metric), metric.digits))
                if metric.compared:
                    row.append('' if peer.name == case.ours else ratio_text(self.ratio(case, peer.name, metric)))
            yield row

    def tables(self):
        for case in self.cases:
            if self.entrants(case):
                yield list(self.case_rows(case))
        if verdicts := self.verdicts():
            yield [['target', 'of', 'wanted', 'measured', ''],
                   *([row['case'], row['metric'], row['wanted'], f'{row["measured"]:.3g}',
                      'met' if row['met'] else 'MISSED'] for row in verdicts)]

    def summary(self):
        """What README.md shows: of each figure that is compared ours, the best other's, the reference's and the
        limit's."""
        limits = [peer.name for peer in self.peers if peer.limit]
        reference = [self.reference] if self.reference else []
        yield ['', '', 'ours', 'best other', '', *reference, 'limit']
        for case in self.cases:
            for metric in case.metrics:
                if not metric.compared or self.median(case, case.ours, metric) is None:
                    continue
                best = self.best(case, metric)
                limit = next((name for name in limits if self.median(case, name, metric) is not None), None)
                ours, best_text, *others = (number_text(self.median(case, name, metric), metric.digits)
                                            for name in (case.ours, best, *reference, limit))
                yield [case.title, metric.unit, ours, best_text, best or '', *others]

    def write(self, output, build, versions):
        """Prints the tables and puts them into files."""
        others = ', '.join(f'{share:.0%}' for share in self.others)
        text = (f'Medians of {self.rounds} rounds, and of their ratios. Others used {others} of the '
                f'{os.cpu_count()} processors meanwhile.\n\n' + '\n\n'.join(map(table_text, self.tables())))
        print(f'\n{text}')
        for failure in self.failures:
            print(f'==> FAILED: {failure}')
        (output / 'table.md').write_text(text + '\n')
        (output / 'summary.md').write_text(table_text(list(self.summary())) + '\n')
        (output / 'samples.json').write_text(json.dumps({
            'machine': machine(), 'build': build_options(build), 'versions': versions,
            'sizes': dataclasses.asdict(self.sizes), 'rounds': self.rounds, 'others': self.others,
            'samples': self.samples, 'targets': self.verdicts(), 'failures': self.failures,
        }, indent=1, ensure_ascii=False) + '\n')
        try:
            import plot
        except ImportError:
            print('==> no plot: Matplotlib is not installed')
        else:
            plot.draw(self, output / 'plot.svg')
        print(f'==> results are in {output}')


def table_text(rows):
    """A Markdown table that reads well as it is: the first column to the left, the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ['| ' + ' | '.join(cell.rjust(width) if column else cell.ljust(width)
                               for column, (cell, width) in enumerate(zip(row, widths))) + ' |' for row in rows]
    lines.insert(1, '|' + '|'.join('-' * (width + 1) + (':' if column else '-')
                                   for column, width in enumerate(widths)) + '|')
    return '\n'.join(lines)
