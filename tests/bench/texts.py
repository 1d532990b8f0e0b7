"""The texts that filters are measured with: written word by word by chance, the same each time."""
import dataclasses
import itertools
import random

import words

LINE = 80  # characters, or a little less


@dataclasses.dataclass(frozen=True)
class Language:
    """How sentences are written: between words stands `space`, within and behind sentences one of the marks."""
    words: str
    space: str = ' '
    commas: tuple = (',', ',', ',', ';', ':')
    stops: tuple = ('.', '.', '.', '?', '!')


IDEOGRAPHIC = {'space': '', 'commas': ('，', '，', '、'), 'stops': ('。', '。', '？', '！')}

ENGLISH = Language(words.ENGLISH)
PORTUGUESE = Language(words.PORTUGUESE)
GERMAN = Language(words.GERMAN)
GREEK = Language(words.GREEK, commas=(',', ',', '·'), stops=('.', '.', ';', '!'))
RUSSIAN = Language(words.RUSSIAN, commas=(',', ',', ' —'))
CHINESE = Language(words.CHINESE, **IDEOGRAPHIC)
JAPANESE = Language(words.JAPANESE, space='', commas=('、',), stops=('。', '。', '？'))
KOREAN = Language(words.KOREAN)

# By name: what it is called, and the languages that its paragraphs take turns in.
TEXTS = {
    'ascii': ('ASCII', [ENGLISH]),
    'portuguese': ('Portuguese', [PORTUGUESE]),
    'greek': ('Greek', [GREEK]),
    'russian': ('Russian', [RUSSIAN]),
    'cjk': ('CJK', [CHINESE, JAPANESE, KOREAN]),
    'mixed': ('mixed', [ENGLISH, PORTUGUESE, GERMAN, GREEK, RUSSIAN, CHINESE, JAPANESE, KOREAN]),
}

# What lines are counted in: by name what it is called, and how many bytes its lines have.
LINES = {
    'short': ('short lines', (0, 18)),
    'long': ('long lines', (1000, 8000)),
}


def sentences(language, rng):
    """Without end; each is a list of words with what is to stand before them."""
    known = language.words.split()
    weights = list(itertools.accumulate(1 / (place + 10) for place in range(len(known))))  # as Zipf has it
    while True:
        sentence = rng.choices(known, cum_weights=weights, k=rng.randint(4, 18))
        sentence[0] = sentence[0][0].upper() + sentence[0][1:]
        if len(sentence) > 8:
            sentence[rng.randint(2, 6)] += rng.choice(language.commas)
        sentence[-1] += rng.choice(language.stops)
        yield sentence


def paragraph(language, source, rng):
    """Some sentences in lines, and an empty line behind them."""
    lines, line = [], ''
    for word in itertools.chain.from_iterable(itertools.islice(source, rng.randint(3, 9))):
        if len(line) + len(word) >= LINE:
            lines.append(line)
            line = word
        else:
            line += (language.space if line else '') + word
    return '\n'.join([*lines, line, '', ''])


def prose(name, size):
    """A text of at least that many bytes, and of a paragraph more at most; it ends where a paragraph does."""
    rng = random.Random(name)
    languages = [(language, sentences(language, rng)) for language in TEXTS[name][1]]
    parts, length = [], 0
    for language, source in itertools.cycle(languages):
        parts.append(paragraph(language, source, rng).encode())
        length += len(parts[-1])
        if length >= size:
            return b''.join(parts)


def lines(name, size):
    """English cut into lines of any length between two; at least that many bytes, and a line more at most."""
    rng = random.Random(name)
    text = prose('ascii', 1 << 20).replace(b'\n', b' ')
    shortest, longest = LINES[name][1]
    parts, length = [], 0
    while length < size:
        place = rng.randrange(len(text) - longest)
        parts.append(text[place:place + rng.randint(shortest, longest)])
        length += len(parts[-1]) + 1
    return b'\n'.join(parts) + b'\n'


def block(name, size):
    """Either of them, by its name."""
    return (lines if name in LINES else prose)(name, size)
