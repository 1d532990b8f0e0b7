"""The medians as bars, a panel for each metric."""
import math

import matplotlib

matplotlib.use('svg')
from matplotlib import pyplot  # noqa: E402

COLUMNS = 4
OURS, LIMIT, OTHERS = '#c2410c', '#9ca3af', '#3b82f6'


def draw(results, path):
    panels = [(case, metric) for case in results.cases for metric in case.metrics
              if metric.compared and results.median(case, case.ours, metric) is not None]
    if not panels:
        return
    matplotlib.rcParams.update({'svg.fonttype': 'none', 'svg.hashsalt': 'sluice', 'font.size': 8})
    rows = math.ceil(len(panels) / COLUMNS)
    figure, axes = pyplot.subplots(rows, COLUMNS, figsize=(4 * COLUMNS, 2.2 * rows), squeeze=False)
    for axis in axes.flat[len(panels):]:
        axis.set_axis_off()
    for axis, (case, metric) in zip(axes.flat, panels):
        bars = [(peer, value) for peer in reversed(results.entrants(case))
                if (value := results.median(case, peer.name, metric)) is not None]
        drawn = axis.barh([peer.name for peer, _ in bars], [value for _, value in bars],
                          color=[OURS if peer.name == case.ours else LIMIT if peer.limit else OTHERS
                                 for peer, _ in bars])
        axis.bar_label(drawn, [f'{value:,.{metric.digits}f}' for _, value in bars], padding=3)
        axis.margins(x=0.25)
        axis.set_xticks([])
        axis.set_title(f'{case.title}\n{metric.unit}, {"more" if metric.more_is_better else "less"} is better',
                       fontsize=8)
        axis.spines[['top', 'right', 'bottom']].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, metadata={'Date': None})
    pyplot.close(figure)
