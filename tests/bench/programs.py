"""Programs that are started, waited for, measured and ended by their own process ids."""
import contextlib
import os
import pathlib
import resource
import select
import signal
import subprocess
import tempfile
import time

TICK = 1 / os.sysconf('SC_CLK_TCK')
DEADLINE = 60  # seconds beyond what is measured; nothing takes as long


class Failed(Exception):
    """A sample cannot be had."""


def raise_descriptor_limit(wanted):
    """Raises the limit of open files for us and those that we start, and returns what it came to."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, wanted))
            hard = wanted
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class OthersWatch:
    """How much of the processors others use, who disturb what is measured."""

    def __init__(self):
        self.start = self.now()

    @staticmethod
    def now():
        """Seconds that there were, on all processors, and those that were neither idle nor ours."""
        with open('/proc/stat', encoding='ascii') as rows:
            user, nice, system, idle, iowait, *interrupts = [int(word) * TICK for word in next(rows).split()[1:9]]
        ours = sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        # Interrupts, of which loopback traffic makes many, are ours for all we know; what was stolen is not.
        busy = user + nice + system
        return busy + idle + iowait + sum(interrupts), busy + interrupts[2] - ours

    def share(self):
        total, others = (now - start for now, start in zip(self.now(), self.start))
        return max(0.0, others / total)


def tree_of(pid):
    """A process and all its descendants."""
    pids = [pid]
    for one in pids:
        with contextlib.suppress(OSError):
            for task in pathlib.Path(f'/proc/{one}/task').iterdir():
                pids += map(int, (task / 'children').read_text().split())
    return pids


def stat_of(pid):
    """The fields of /proc/PID/stat behind the program's name, which may hold blanks; None if it has gone."""
    with contextlib.suppress(OSError):
        return pathlib.Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return None


def cpu_of(pid):
    """CPU seconds, user and system, of a process and of the children that it has waited for."""
    fields = stat_of(pid)
    if fields is None:
        return 0.0
    own, children = (sum(map(int, fields[place:place + 2])) * TICK for place in (11, 13))
    precise = 0.0
    with contextlib.suppress(OSError):
        # In nanoseconds, where stat has ticks; but of the threads that still run.
        for task in pathlib.Path(f'/proc/{pid}/task').iterdir():
            precise += int((task / 'schedstat').read_text().split()[0]) / 1e9
    return max(own, precise) + children


def pss_of(pid):
    """Bytes of memory, what is shared divided among those who share it."""
    with contextlib.suppress(OSError):
        for line in pathlib.Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines():
            if line.startswith('Pss:'):
                return int(line.split()[1]) * 1024
    return 0


class Program:
    """A running program. What it says on standard error is kept for complaints."""

    def __init__(self, words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=None):
        self.words = [str(word) for word in words]
        self.errors = None if stderr else tempfile.TemporaryFile()
        self.process = subprocess.Popen(self.words, stdin=stdin, stdout=stdout, stderr=stderr or self.errors)
        self.pid = self.process.pid
        self.pidfd = os.pidfd_open(self.pid)
        self.usage = None

    def complain(self, text):
        raise Failed(f'{" ".join(self.words)}: {text}; it said: {self.said()}')

    def said(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors='replace').strip()

    def ended(self, seconds=0.0):
        """Whether it has ended, after at most so long; reaps it and keeps what it used."""
        if self.usage is None and select.select([self.pidfd], [], [], seconds)[0]:
            _, status, self.usage = os.wait4(self.pid, 0)
            self.process.returncode = os.waitstatus_to_exitcode(status)
            os.close(self.pidfd)
        return self.usage is not None

    def wait(self, seconds):
        """Waits for an end in good order."""
        if not self.ended(seconds):
            self.complain(f'not over within {seconds} s')
        if self.process.returncode != 0:
            self.complain(f'exit status {self.process.returncode}')

    def cpu(self):
        """CPU seconds of it and its descendants so far."""
        if self.ended():
            return self.usage.ru_utime + self.usage.ru_stime
        return sum(map(cpu_of, tree_of(self.pid)))

    def pss(self):
        return sum(map(pss_of, tree_of(self.pid)))

    def end(self):
        """Asks it to end, and kills it if it does not; then the same with descendants that it left behind."""
        if not self.ended():
            left = {pid: fields[19] for pid in tree_of(self.pid)[1:] if (fields := stat_of(pid))}
            # Not by Popen, which would reap it, and what it used would be lost.
            signal.pidfd_send_signal(self.pidfd, signal.SIGTERM)
            if not self.ended(5):
                signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
                self.ended(DEADLINE)
            end_descendants(left)
        if self.errors:
            self.errors.close()


def end_descendants(started):
    """Ends what still runs of these processes: a pid and when that one started, since pids are used again."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        end = time.monotonic() + 5
        signalled = set()
        while True:
            left = [pid for pid, start in started.items()
                    if (fields := stat_of(pid)) and fields[19] == start and fields[0] != 'Z']
            if not left or time.monotonic() > end:
                break
            for pid in left:
                if pid not in signalled:
                    signalled.add(pid)
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, number)
            time.sleep(0.01)
        if not left:
            return


class Traffic(Program):
    """Our generator: each line that it says holds figures, `name=value ...`."""

    def __init__(self, words, **streams):
        super().__init__(words, stderr=subprocess.PIPE, **streams)
        self.rest = b''

    def said(self):
        return self.rest.decode(errors='replace').strip()

    def figures(self, seconds=0.0):
        """The next line as a dictionary of whole numbers, waited for so long and DEADLINE more."""
        end = time.monotonic() + seconds + DEADLINE
        while b'\n' not in self.rest:
            if not select.select([self.process.stderr], [], [], max(0, end - time.monotonic()))[0]:
                self.complain('it says nothing')
            part = os.read(self.process.stderr.fileno(), 4096)
            if not part:
                self.complain('it has ended')
            self.rest += part
        line, _, rest = self.rest.partition(b'\n')
        try:
            figures = {name: int(value) for name, _, value in (word.partition('=') for word in line.decode().split())}
        except ValueError:
            self.complain('that are no figures')
        self.rest = rest
        return figures

    def end(self):
        super().end()
        self.process.stderr.close()


class Pipeline:
    """Programs joined by pipes, seen as one."""

    def __init__(self, commands, stdin, stdout):
        self.programs = []
        for number, words in enumerate(commands):
            last = number == len(commands) - 1
            reading, writing = (None, stdout) if last else os.pipe()
            try:
                self.programs.append(Program(words, stdin=stdin, stdout=writing))
            except OSError as failure:
                self.end()
                raise Failed(f'{words[0]}: {failure.strerror}') from failure
            finally:
                if number > 0:
                    os.close(stdin)
                if not last:
                    os.close(writing)
            stdin = reading

    def wait(self, seconds):
        for program in self.programs:
            program.wait(seconds)

    def ended(self):
        return any(program.ended() for program in self.programs)

    def complain(self, text):
        next((program for program in self.programs if program.ended()), self.programs[0]).complain(text)

    def cpu(self):
        return sum(program.cpu() for program in self.programs)

    def pss(self):
        return sum(program.pss() for program in self.programs)

    def end(self):
        for program in self.programs:
            program.end()


def memory_folder(name):
    """A folder in memory, so that no disk is measured, as a context."""
    memory = pathlib.Path('/dev/shm')
    return tempfile.TemporaryDirectory(prefix=name, dir=memory if memory.is_dir() else None)


class Bench:
    """A folder, and what runs in it for one sample; all of it ends with it."""

    def __init__(self, traffic, sizes):
        self.traffic_program = traffic
        self.sizes = sizes
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        self.folder = pathlib.Path(self.stack.enter_context(memory_folder('sluice-bench')))
        return self

    def __exit__(self, *what):
        return self.stack.__exit__(*what)

    def traffic(self, *words, **streams):
        program = Traffic([self.traffic_program, *words], **streams)
        self.stack.callback(program.end)
        return program


def start_up(bench, case, peer):
    """From the start of a process to its end, with nothing to do."""
    command = peer.commands[case.name].split()
    return {'median': bench.traffic('start-up', bench.sizes.starts, *command).figures()['median'] / 1e6}
