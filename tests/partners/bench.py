"""What the partner tests stand on: programs that are started, waited for and ended by their own process ids.

Nothing here sleeps to synchronise: a program is ready when it says so, or when its socket is there."""
import contextlib
import os
import pathlib
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

DEADLINE = 30  # seconds; nothing that is tested takes as long


class Failed(Exception):
    """A test case did not come out as wanted."""


def expect(condition, text):
    if not condition:
        raise Failed(text)


def brief(data):
    return repr(data if len(data) < 200 else data[:100] + b'...' + data[-50:]) + f' ({len(data)} bytes)'


def expect_same(wanted, got, what):
    expect(wanted == got, f'{what}: wanted {brief(wanted)}, got {brief(got)}')


class Program:
    """A running program with pipes at its standard streams."""

    def __init__(self, words, **options):
        self.words = [str(word) for word in words]
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(self.words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.errors, bufsize=0, **options)
        self.rest = b''

    def said(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors='replace').strip()

    def complain(self, text):
        raise Failed(f'{" ".join(self.words)}: {text}; it said: {self.said()}')

    def write_all(self, data):
        while data:
            data = data[self.process.stdin.write(data):]

    def _more(self):
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            if not selector.select(DEADLINE):
                self.complain(f'silent for {DEADLINE} s, behind {brief(self.rest)}')
        data = self.process.stdout.read(65536)
        if not data:
            self.complain(f'ended its output behind {brief(self.rest)}')
        self.rest += data

    def line(self):
        """The next line of its output, the newline included."""
        while b'\n' not in self.rest:
            self._more()
        line, _, self.rest = self.rest.partition(b'\n')
        return line + b'\n'

    def bytes(self, count):
        """The next bytes of its output."""
        while len(self.rest) < count:
            self._more()
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def finish(self, data=b''):
        """Writes all, ends its input, and returns its output to the end, once it has ended with status 0."""
        try:
            out, _ = self.process.communicate(data, timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            self.complain(f'not over within {DEADLINE} s')
        if self.process.returncode != 0:
            self.complain(f'exit status {self.process.returncode}')
        return self.rest + out

    def end(self):
        """Asks it to end, and kills it if it does not; by its own process id. Returns the exit status."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGKILL)
                self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.errors):
            with contextlib.suppress(OSError):
                stream.close()
        return self.process.returncode


class Bench:
    """A folder and the programs of one test case; all of them are ended with it."""

    def __init__(self, tools):
        self.tools = pathlib.Path(tools)
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        self.folder = pathlib.Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix='sluice')))
        return self

    def __exit__(self, *what):
        return self.stack.__exit__(*what)

    def start(self, *words, **options):
        program = Program(words, **options)
        self.stack.callback(program.end)
        return program

    def sockcat(self, *words):
        return self.start(self.tools / 'sockcat', *words)

    def serve(self, *words):
        """Starts sockcat with --ready-fd; returns it and the names that it bound."""
        reading, writing = os.pipe()
        program = self.start(self.tools / 'sockcat', '--ready-fd', writing, *words, pass_fds=[writing])
        os.close(writing)
        with open(reading, 'rb') as names:
            bound = names.read().decode().splitlines()
        if not bound:
            program.process.wait(DEADLINE)
            program.complain('bound nothing')
        return program, bound


def port_of(name):
    """43121 in `tcp 127.0.0.1:43121`."""
    return int(name.rsplit(':', 1)[1])


def free_port(kind=socket.SOCK_STREAM):
    """For partners that cannot be asked which port they took. Somebody may take it in between: a rare case."""
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind(('127.0.0.1', 0))
        return one.getsockname()[1]


def until(condition, what):
    """Polls for what nobody announces."""
    end = time.monotonic() + DEADLINE
    while not condition():
        expect(time.monotonic() < end, f'not within {DEADLINE} s: {what}')
        time.sleep(0.01)


def bound_in_kernel(kind, port):
    """Whether somebody listens on (tcp) or has bound (udp) a port: seen without using up an accept."""
    def is_bound():
        for table in (kind, kind + '6'):
            with contextlib.suppress(FileNotFoundError), open(f'/proc/net/{table}', encoding='ascii') as rows:
                for row in list(rows)[1:]:
                    fields = row.split()
                    if int(fields[1].rsplit(':', 1)[1], 16) == port and (kind == 'udp' or fields[3] == '0A'):
                        return True
        return False
    return is_bound


def unix_bound_in_kernel(path):
    """Whether somebody has bound a path, and listens if it is a stream socket."""
    def is_bound():
        with open('/proc/net/unix', encoding='ascii', errors='replace') as rows:
            for row in rows:
                fields = row.split()
                if fields[-1] == str(path):
                    return fields[4] == '0002' or int(fields[3], 16) & 0x10000 != 0
        return False
    return is_bound


def run_cases(cases):
    """Runs (name, needed programs, function) rows, prints TAP, and returns the exit status."""
    print(f'1..{len(cases)}')
    failures = 0
    for number, (name, needed, function) in enumerate(cases, 1):
        missing = [program for program in needed if not shutil.which(program)]
        if missing:
            print(f'ok {number} - {name} # SKIP not run: {", ".join(missing)} not installed', flush=True)
            continue
        try:
            function()
            print(f'ok {number} - {name}', flush=True)
        except (Failed, OSError, subprocess.SubprocessError) as failure:
            failures += 1
            print(f'not ok {number} - {name}')
            for line in str(failure).splitlines():
                print(f'#   {line}')
            sys.stdout.flush()
    return 1 if failures else 0
