#!/usr/bin/env python3
"""sockcat beside the programs that people use it with: tests/partners/run.py TOOLS. Prints TAP.

TOOLS is the folder of the built tools. A partner that is not installed is reported as not run."""
import concurrent.futures
import functools
import hashlib
import os
import random
import socket
import sys

from bench import (Bench, Failed, bound_in_kernel, expect, expect_same, free_port, port_of, run_cases,
                   unix_bound_in_kernel, until)

TOOLS = sys.argv[1]
QUESTION = b''.join(b'line %d of a question\n' % number for number in range(12000))
ANSWER = b''.join(b'%d: an answer\n' % number for number in range(20000))


# A browser and a web server (TCP -> AF_UNIX -> TCP).

def web_chain(bench):
    """The address of a web server behind two sockcats; its pages are `page.html` and `large`."""
    site = bench.folder / 'site'
    site.mkdir()
    (site / 'page.html').write_text('<p id="who"></p><script src="script.js"></script>\n')
    (site / 'script.js').write_text('document.getElementById("who").textContent = "made by " + "a script";\n')
    (site / 'large').write_bytes(random.Random(1).randbytes(20_000_000))
    server = bench.start(sys.executable, '-u', '-m', 'http.server', '0', '--bind', '127.0.0.1', '--directory', site)
    port = int(server.line().split(b' port ')[1].split()[0])
    middle = bench.folder / 'middle'
    bench.serve(f'UNIX-LISTEN:{middle},fork', f'TCP:127.0.0.1:{port}')
    _, names = bench.serve('TCP-LISTEN:0,bind=127.0.0.1,fork', f'UNIX-CONNECT:{middle}')
    return f'http://127.0.0.1:{port_of(names[0])}'


def curl_fetches():
    with Bench(TOOLS) as bench:
        address = web_chain(bench)
        for page in ('page.html', 'large', 'page.html'):
            out = bench.start('curl', '--silent', '--show-error', '--fail', '--noproxy', '*', f'{address}/{page}').finish()
            expect_same((bench.folder / 'site' / page).read_bytes(), out, page)


def many_requests_at_once():
    with Bench(TOOLS) as bench:
        address = web_chain(bench)
        wanted = hashlib.sha256((bench.folder / 'site' / 'large').read_bytes()).hexdigest()
        clients = [bench.start('curl', '--silent', '--fail', '--noproxy', '*', '--output', bench.folder / str(number),
                               f'{address}/large') for number in range(8)]
        for number, client in enumerate(clients):
            client.finish()
            got = hashlib.sha256((bench.folder / str(number)).read_bytes()).hexdigest()
            expect(got == wanted, f'client {number} got other bytes')


def chromium_shows():
    with Bench(TOOLS) as bench:
        address = web_chain(bench)
        browser = bench.start('chromium', '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
                              '--no-proxy-server', f'--user-data-dir={bench.folder / "profile"}', '--dump-dom',
                              f'{address}/page.html')
        out = browser.finish()
        expect(b'<p id="who">made by a script</p>' in out, f'the browser shows {out}')


# An application and the X server.

def x_application_draws():
    with Bench(TOOLS) as bench:
        reading, writing = os.pipe()
        bench.start('Xvfb', '-displayfd', writing, '-nolisten', 'tcp', '-noreset', pass_fds=[writing])
        os.close(writing)
        with open(reading, encoding='ascii') as display:
            number = display.readline().strip()
        expect(number, 'the X server did not start')
        # An X display's number is its port's distance from 6000.
        for port in range(6100, 6200):
            try:
                bench.serve(f'TCP-LISTEN:{port},bind=127.0.0.1,fork', f'UNIX-CONNECT:/tmp/.X11-unix/X{number}')
            except Failed:
                continue
            environment = {**os.environ, 'DISPLAY': f'127.0.0.1:{port - 6000}'}
            for _ in range(2):
                out = bench.start('xdpyinfo', env=environment).finish()
                expect(b'number of screens:' in out, f'xdpyinfo said {out}')
            return
        raise Failed('no port between 6100 and 6199 is free')


# socat, ncat and nc as the other end. Rows are (partner, its command line); {port} and {path} are replaced.

STREAM_CLIENTS = [
    ('socat', 'TCP', 'socat -t30 - TCP:127.0.0.1:{port}'),
    ('ncat', 'TCP', 'ncat 127.0.0.1 {port}'),
    ('nc', 'TCP', 'nc -N 127.0.0.1 {port}'),
    ('socat', 'AF_UNIX', 'socat -t30 - UNIX-CONNECT:{path}'),
    ('ncat', 'AF_UNIX', 'ncat -U {path}'),
    ('nc', 'AF_UNIX', 'nc -N -U {path}'),
]
STREAM_SERVERS = [
    ('socat', 'TCP', 'socat -t30 - TCP-LISTEN:{port},bind=127.0.0.1'),
    ('ncat', 'TCP', 'ncat -l 127.0.0.1 {port}'),
    ('nc', 'TCP', 'nc -N -l 127.0.0.1 {port}'),
    ('socat', 'AF_UNIX', 'socat -t30 - UNIX-LISTEN:{path}'),
    ('ncat', 'AF_UNIX', 'ncat -l -U {path}'),
    ('nc', 'AF_UNIX', 'nc -N -l -U {path}'),
]
DATAGRAM_CLIENTS = [
    ('socat', 'UDP', 'socat - UDP:127.0.0.1:{port}'),
    ('ncat', 'UDP', 'ncat -u 127.0.0.1 {port}'),
    ('nc', 'UDP', 'nc -u 127.0.0.1 {port}'),
    ('socat', 'AF_UNIX', 'socat - UNIX-SENDTO:{path},bind={path}.client'),
    ('nc', 'AF_UNIX', 'nc -u -U {path}'),
]
DATAGRAM_SERVERS = [
    ('socat', 'UDP', 'socat - UDP-LISTEN:{port},bind=127.0.0.1'),
    ('ncat', 'UDP', 'ncat -u -l 127.0.0.1 {port}'),
    ('nc', 'UDP', 'nc -u -l 127.0.0.1 {port}'),
    ('socat', 'AF_UNIX', 'socat - UNIX-RECVFROM:{path}'),
]


def words_of(command, port, path):
    return command.format(port=port, path=path).split()


def client_of_a_stream(family, command):
    """The partner connects to us: all that it writes comes back in upper case, and both see the end."""
    with Bench(TOOLS) as bench:
        path = bench.folder / 'socket'
        listen = f'UNIX-LISTEN:{path},fork' if family == 'AF_UNIX' else 'TCP-LISTEN:0,bind=127.0.0.1,fork'
        _, names = bench.serve(listen, 'UPPER')
        port = port_of(names[0]) if family == 'TCP' else None
        for _ in range(2):
            out = bench.start(*words_of(command, port, path)).finish(QUESTION)
            expect_same(QUESTION.upper(), out, 'the answer')


def server_of_a_stream(family, command):
    """We connect to the partner: a question goes there and an answer comes back, whole, whoever ends first."""
    with Bench(TOOLS) as bench:
        path = bench.folder / 'socket'
        port = free_port()
        partner = bench.start(*words_of(command, port, path))
        if family == 'AF_UNIX':
            until(unix_bound_in_kernel(path), 'the partner listens')
            address = f'UNIX-CONNECT:{path}'
        else:
            until(bound_in_kernel('tcp', port), 'the partner listens')
            address = f'TCP:127.0.0.1:{port}'
        asking = bench.sockcat('-', address)
        with concurrent.futures.ThreadPoolExecutor() as threads:
            question = threads.submit(partner.finish, ANSWER)
            if partner.words[0] != 'socat':
                # ncat and nc leave when their client has finished, whatever they still have to say.
                writing = threads.submit(asking.write_all, QUESTION)
                answer = threads.submit(asking.bytes, len(ANSWER))
                expect_same(ANSWER, answer.result(), 'the answer')
                writing.result()
                expect_same(b'', asking.finish(), 'what came behind the answer')
            else:
                answer = threads.submit(asking.finish, QUESTION)
                expect_same(ANSWER, answer.result(), 'the answer')
            expect_same(QUESTION, question.result(), 'the question')


def client_of_datagrams(family, command):
    """The partner sends us datagrams: each comes back in upper case."""
    with Bench(TOOLS) as bench:
        path = bench.folder / 'socket'
        listen = f'UNIX-RECVFROM:{path},fork' if family == 'AF_UNIX' else 'UDP-RECVFROM:0,bind=127.0.0.1,fork'
        _, names = bench.serve(listen, 'UPPER')
        port = port_of(names[0]) if family == 'UDP' else None
        partner = bench.start(*words_of(command, port, path))
        for word in (b'labi\n', b'again\n', QUESTION[:1000].rpartition(b'\n')[0] + b'\n'):
            partner.write_all(word)
            got = b''.join(partner.line() for _ in range(word.count(b'\n')))
            expect_same(word.upper(), got, 'the answer')


def server_of_datagrams(family, command):
    """We send datagrams to the partner, and it answers."""
    with Bench(TOOLS) as bench:
        path = bench.folder / 'socket'
        port = free_port(socket.SOCK_DGRAM)
        partner = bench.start(*words_of(command, port, path))
        if family == 'AF_UNIX':
            until(unix_bound_in_kernel(path), 'the partner has bound')
            asking = bench.sockcat('-', f'UNIX-SENDTO:{path},bind={path}.client')
        else:
            until(bound_in_kernel('udp', port), 'the partner has bound')
            asking = bench.sockcat('-', f'UDP:127.0.0.1:{port}')
        for word, answer in ((b'labi\n', b'LABI\n'), (b'x\n', QUESTION[:999].rpartition(b'\n')[0] + b'\n')):
            asking.write_all(word)
            expect_same(word, partner.line(), 'the question')
            partner.write_all(answer)
            got = b''.join(asking.line() for _ in range(answer.count(b'\n')))
            expect_same(answer, got, 'the answer')
            if 'RECVFROM' in command:
                break  # one datagram is all it takes
        # Nothing says that it is over, so silence does.
        expect_same(b'', asking.finish(), 'what came behind the answers')


def main():
    cases = [
        ('curl fetches pages through TCP -> AF_UNIX -> TCP', ['curl'], curl_fetches),
        ('8 curls at once do', ['curl'], many_requests_at_once),
        ('Chromium shows a page through them', ['chromium'], chromium_shows),
        ('xdpyinfo asks an X server behind a TCP port', ['Xvfb', 'xdpyinfo'], x_application_draws),
    ]
    for what, rows, function in (
            ('is a client of a stream', STREAM_CLIENTS, client_of_a_stream),
            ('is the server of a stream', STREAM_SERVERS, server_of_a_stream),
            ('is a client of datagrams', DATAGRAM_CLIENTS, client_of_datagrams),
            ('is the server of datagrams', DATAGRAM_SERVERS, server_of_datagrams)):
        for partner, family, command in rows:
            cases.append((f'{partner} {what} over {family}', [partner], functools.partial(function, family, command)))
    return run_cases(cases)


sys.exit(main())
