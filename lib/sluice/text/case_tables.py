#!/usr/bin/env python3
"""Writes case_tables.cc, the upper-case data of text/upper, from the Unicode Character Database.

Usage: case_tables.py FOLDER > case_tables.cc; FOLDER has UnicodeData.txt, SpecialCasing.txt, PropList.txt, Scripts.txt
and DerivedCoreProperties.txt (Debian's package unicode-data puts them into /usr/share/unicode). What the tables
mean stands in case_tables.h."""
import pathlib
import sys

BLOCK = 64
# Bits of CharacterTraits in case_tables.h.
SOFT_DOTTED, ABOVE, OTHER_MARK, CASED, CASE_IGNORABLE = 1, 2, 4, 8, 16
# Bits of GreekLetter.
VOWEL, YPOGEGRAMMENI, ACCENT, DIALYTIKA = 0x1000, 0x2000, 0x4000, 0x8000
GREEK = [(0x370, 0x400), (0x1F00, 0x2000)]
OHM = 0x2126
GREEK_VOWELS = {0x391, 0x395, 0x397, 0x399, 0x39F, 0x3A5, 0x3A9}
GREEK_MARKS = {0x300: ACCENT, 0x301: ACCENT, 0x342: ACCENT, 0x308: DIALYTIKA, 0x345: YPOGEGRAMMENI}


def fields_of(path):
    for line in path.read_text(encoding='utf-8').splitlines():
        if line := line.partition('#')[0].strip():
            yield [field.strip() for field in line.split(';')]


def code_points(text):
    return [int(one, 16) for one in text.split()]


class Database:
    def __init__(self, folder):
        self.version = (folder / 'SpecialCasing.txt').read_text(encoding='utf-8').split('\n')[0].split('-')[1]
        self.version = self.version.removesuffix('.txt')
        self.upper, self.combining, self.parts = {}, {}, {}
        for fields in fields_of(folder / 'UnicodeData.txt'):
            code = int(fields[0], 16)
            if fields[12]:
                self.upper[code] = [int(fields[12], 16)]
            if fields[3] != '0':
                self.combining[code] = int(fields[3])
            if fields[5] and not fields[5].startswith('<'):
                self.parts[code] = code_points(fields[5])
        self.simple = dict(self.upper)
        for fields in fields_of(folder / 'SpecialCasing.txt'):
            if len(fields) == 5:  # a sixth is a condition
                code, upper = int(fields[0], 16), code_points(fields[3])
                if upper != [code]:
                    self.upper[code] = upper
        self.soft_dotted = self.property(folder / 'PropList.txt', 'Soft_Dotted')
        self.cased = self.property(folder / 'DerivedCoreProperties.txt', 'Cased')
        self.greek_script = self.property(folder / 'Scripts.txt', 'Greek')  # its block has Coptic letters too
        self.case_ignorable = self.property(folder / 'DerivedCoreProperties.txt', 'Case_Ignorable')

    @staticmethod
    def property(path, name):
        found = set()
        for codes, what in (fields[:2] for fields in fields_of(path)):
            if what == name:
                first, _, last = codes.partition('..')
                found.update(range(int(first, 16), int(last or first, 16) + 1))
        return found

    def decomposed(self, code):
        parts = self.parts.get(code)
        return [code] if parts is None else [deep for part in parts for deep in self.decomposed(part)]

    def traits(self, code):
        combining = self.combining.get(code, 0)
        return ((SOFT_DOTTED if code in self.soft_dotted else 0) | (ABOVE if combining == 230 else 0)
                | (OTHER_MARK if combining not in (0, 230) else 0) | (CASED if code in self.cased else 0)
                | (CASE_IGNORABLE if code in self.case_ignorable else 0))

    def greek(self, code):
        """The capital of a Greek letter without its marks, and which marks it had."""
        base, *marks = self.decomposed(code)
        capital = self.simple.get(base, [base])[0]
        if base not in self.cased or base in self.case_ignorable or base not in self.greek_script:
            return 0
        value = capital | (VOWEL if capital in GREEK_VOWELS else 0)
        for mark in marks:
            value |= GREEK_MARKS.get(mark, 0)
        return value


def utf8(codes):
    return ''.join(map(chr, codes)).encode('utf-8')


def in_blocks(value_of, most):
    """A table in two steps: the block of each 64 code points, up to the last that is not empty, and the blocks."""
    blocks, numbers = {(None,) * BLOCK: 0}, []
    for start in range(0, most, BLOCK):
        block = tuple(value_of(code) or None for code in range(start, start + BLOCK))
        numbers.append(blocks.setdefault(block, len(blocks)))
    while numbers[-1] == 0:
        numbers.pop()
    assert len(blocks) <= 256  # their numbers are bytes
    return numbers, list(blocks)


def rows(texts, indent='    '):
    line = indent
    for text in texts:
        if len(line) + len(text) + 1 > 108:
            yield line.rstrip()
            line = indent
        line += text + ', '
    yield line.rstrip()


def table(declaration, texts):
    print(f'{declaration} = {{')
    print('\n'.join(rows(texts)))
    print('};\n')


def written(upper):
    if upper is None:
        return '{}'
    return '{"' + ''.join(f'\\x{byte:02x}' for byte in upper) + f'", {len(upper)}}}'


def blocks_table(kind, name, blocks, text_of):
    print(f'constexpr std::array<std::array<{kind}, {BLOCK}>, {len(blocks)}> {name} = {{{{')
    for block in blocks:
        print('    {{')
        print('\n'.join(rows((text_of(value) for value in block), '        ')))
        print('    }},')
    print('}};\n')


def main(folder):
    data = Database(pathlib.Path(folder))
    print(f'// Made by case_tables.py from the Unicode Character Database, version {data.version}.')
    print('// clang-format off')
    print('#include "sluice/text/case_tables.h"\n\n#include "sluice/text/upper_planes.h"\n')
    print('namespace sluice::case_tables {')
    print('namespace {\n')
    upper_numbers, upper_blocks = in_blocks(
        lambda code: utf8(data.upper[code]) if code in data.upper else None, 0x110000)
    # Vectors change the bytes of a block's place.
    assert len(upper_blocks) - 1 == sum(number != 0 for number in upper_numbers)
    # And they look into none of other fours.
    assert len(upper_numbers) <= 0x40000 // BLOCK
    traits_numbers, traits_blocks = in_blocks(data.traits, 0x110000)
    table(f'constexpr std::array<std::uint8_t, {len(upper_numbers)}> block_of_upper', map(str, upper_numbers))
    blocks_table('Upper', 'uppers', upper_blocks, written)
    table(f'constexpr std::array<std::uint8_t, {len(traits_numbers)}> block_of_traits', map(str, traits_numbers))
    blocks_table('std::uint8_t', 'traits', traits_blocks, lambda value: str(value or 0))
    for first, last in GREEK:
        table(f'constexpr std::array<std::uint16_t, {last - first}> greek_{first:x}',
              (f'{data.greek(code):#x}' for code in range(first, last)))
    print('constexpr auto planes = planes_of(block_of_upper, uppers);\n')
    print('}  // namespace\n')
    print(f'constinit const std::string_view unicode_version = "{data.version}";')
    print('constinit const Blocks<Upper> upper_blocks = {block_of_upper, uppers};')
    print('constinit const std::span<const UpperPlanes> upper_planes = planes;')
    print('constinit const std::array<std::uint8_t, 64> cased_leads = cased_leads_of(block_of_upper);')
    print('constinit const std::uint64_t cased_seconds = cased_seconds_of(block_of_upper);')
    print('constinit const Blocks<std::uint8_t> traits_blocks = {block_of_traits, traits};\n')
    print('std::uint16_t greek_letter(char32_t code) {')
    for first, last in GREEK:
        print(f'  if (code >= {first:#x} && code < {last:#x}) return greek_{first:x}[code - {first:#x}];')
    print(f'  return code == {OHM:#x} ? {data.greek(OHM):#x} : 0;')
    print('}\n')
    print('}  // namespace sluice::case_tables')


if __name__ == '__main__':
    main(sys.argv[1])
