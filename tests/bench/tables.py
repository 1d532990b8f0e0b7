"""The rows that the tables of both commands consist of: metrics, cases, peers and targets."""
import dataclasses

BEST = 'best peer'


@dataclasses.dataclass(frozen=True)
class Metric:
    name: str
    unit: str
    more_is_better: bool = False
    digits: int = 2
    compared: bool = True  # whether a ratio says something


RATE = Metric('rate', 'GB/s', True)
CPU = Metric('cpu', 'CPU s/GB', digits=3)
START = Metric('median', 'ms', digits=2)


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    groups: tuple  # what --only may name, besides
    title: str
    metrics: tuple
    run: object  # a function of (Bench, Case, Peer), to a dictionary of figures by the metrics' names
    ours: str = 'sockcat'


@dataclasses.dataclass(frozen=True)
class Peer:
    name: str
    program: str = ''  # what must be installed
    version: str = ''  # the command that tells its version
    commands: dict = dataclasses.field(default_factory=dict)  # by the cases' names
    config: str = ''  # the text of {config}
    limit: bool = False  # what ours can be compared with, not beaten by: it does nothing of what is measured
    beside: bool = False  # another build of ours, or ours told otherwise
    share: float = 1  # of the case's input, for who is slow or quick; rates are per byte

    @property
    def is_server(self):
        """Whether it goes on when its client has gone, and serves more than one."""
        return bool(self.config)


@dataclasses.dataclass(frozen=True)
class Target:
    case: str
    metric: str
    sign: str  # '≥' or '≤'
    factor: float
    against: str = ''  # a peer; BEST, of those that are neither limits nor ours; nobody: `factor` is the figure itself
    of: str = ''  # whose figure is judged, if not that of the case's own
