"""Scalars as people and programs write them, by class."""

import random

INTEGERS = """
0 00 000 1 7 8 08 09 010 018 0644 0755 0400 0600 0777 00644 0888 -0 -1 -7 -010 -0644 -08 +0 +1 +80 +010 +0x10 -0x10
0x0 0x10 0xff 0xFF 0XFF 0xfF_fF 0x_10 0x 0xg 0x7fffffffffffffff 0x8000000000000000 0xffffffffffffffff 0x10000000000000000
-0x8000000000000000 -0x8000000000000001 0o0 0o7 0o644 0O644 0o8 0o -0o17 +0o17 0o1777777777777777777777 0b0 0b1 0b11 0B11 0b
0b2 -0b11 +0b11 0b+1 0b-1 0b--1 -0b-1 -0b+1 0b1_1 0b_1 1_0 1_000_000 1__0 0_7 _1 1_ 0_ +_1 -_1 -_ +1_
2147483647 2147483648 -2147483648 -2147483649 4294967295 4294967296 9007199254740991 9007199254740992 9007199254740993
9223372036854775807 9223372036854775808 -9223372036854775808 -9223372036854775809 18446744073709551615 18446744073709551616
+9223372036854775808 +18446744073709551615 99999999999999999999999 0777777777777777777777 01777777777777777777777
02000000000000000000000 53 123 8080 443 65536 1000 1024 1e3 123456 1234567 12345678
""".split()

FLOATS = """
0.0 -0.0 +0.0 1.0 2.0 1.5 -1.5 +1.5 .5 -.5 +.5 5. -5. 0.1 0.10 00.1 01.5 08.5 1e9 1E9 1e+9 1e-9 1e09 1.e5 .5e3 .5E-3 -1e3 +1e3 1e 1e+ e1
1.5e300 1.5e-300 1e308 1e309 -1e309 1e400 .5e400 1e-400 4.9e-324 2.5e-324 1.7976931348623157e308 1.7976931348623159e308
1e20 1e21 1e22 123456789012345678901234567890.0 1234567890123456789.0 9007199254740993.0 9223372036854775807.0 9223372036854774784.0
-9223372036854775808.0 0.000001 0.0000001 1e-6 1e-7 3.141592653589793 2.718281828459045235360 1.1 100000.0 999999.0 999999.5 1000000.0
1234567.0 0.0001 0.00001 0.00012345678 1e39 1e38 3.4028235e38 3.4028236e38 1e-45 1e-46 16777217.0 123456.789 33554433.5
1_000.5 1_0.0_1 1e1_0 .5_0 .5_ ._5 .5e1_0 .5e_1 1._5 1_.5 1__0.5 . .. ... .e .e5 .1.2 1.2.3 1.2e3.4 0x1p4 0x1.8p1 0x1.8 0x.8
.inf .Inf .INF +.inf +.Inf +.INF -.inf -.Inf -.INF .nan .NaN .NAN +.nan -.nan .iNf .Nan .infinity inf Inf nan NaN Infinity +inf -inf -Infinity
""".split()

WORDS = """
y Y n N yes Yes YES no No NO on On ON off Off OFF true True TRUE false False FALSE yEs yeS nO oN oFF oFf tRUE tRue fALSE faLse
yes. no! yess noo onn offf truee falsee t T f F tr fa ye o O ok OK okay ja nein si oui 1true true1 -yes +no .yes yes_ _no
null Null NULL nULL nUll nul nulll nil Nil NIL none None NONE ~ ~~ ~1 ~null void undefined NaN N/A na NA null. .null -null
enabled disabled Enabled Disabled active inactive always Always never Never y1 n1 Y_ N_ yn ny
""".split()

TIMESTAMPS = """
2001-01-01 2001-1-1 2001-1-01 2001-01-1 2001-13-01 2001-02-29 2000-02-29 2004-02-29 1900-02-29 2001-04-31 2001-00-01 2001-01-00
01-01-2001 2001-01 2001-001 20010101 2001-01-01-01 0000-01-01 9999-12-31 12001-01-01
2001-12-14T21:59:43Z 2001-12-14t21:59:43Z 2001-12-14T21:59:43.10Z 2001-12-14t21:59:43.10-05:00 2001-12-14T21:59:43,5Z 2001-12-14T1:2:3Z
2001-12-14T24:00:00Z 2001-12-14T23:60:00Z 2001-12-14T23:59:60Z 2001-12-14T21:59:43 2001-12-14T21:59:43+25:00 2001-12-14T21:59:43+24:00
2001-12-14T21:59:43+05:60 2001-12-14T21:59:43-0500 2001-12-14T21:59:43z 2001-12-14T21:59Z 2001-12-14T21:59:43.Z 2001-12-14_21:59:43
12:30 12:30:45 21:59:43 1:30 190:20:30 -12:30 12:30.5 5h 30s 1h30m 100ms
""".split() + [
    "2001-12-14 21:59:43", "2001-12-14 21:59:43.10", "2001-12-14 21:59:43.10 -5", "2001-12-14 21:59:43Z", "2001-12-14 21:59:43 Z",
    "2001-12-14 1:2:3", "2001-12-14  21:59:43", "2001-12-14 21:59", "Mon Jan  2 15:04:05 2006",
]

SIMILAR = """
v1 1.2.3 1.25.0 v1.25 10.0.0.1 10.0.0.0/8 100m 1Gi 500Mi 1k 1K 0.5Gi 1e3Ki 50% 25% 0x 0xZZ 12ab ab12 1a 0d5e 5e 5e6f 1d2e3 12e34f 3e5a
1-2 1+1 1/2 1:2 1,5 1;2 1|2 1=2 -a +a --1 ++1 -+1 +-1 - -- --- + ++ +- -. -.. +.. .a .1a ..1 = == << <<: < > <= >= a: b:c :a :: a#b #
* *a & &a ! !a !!a @ @a ` `a % %a %YAML | > |- >- ? ?a , [ ] { } [a a] {a a} ' " \\ / // \\n $ $a ${a} $(a) a,b a[b] a{b} a]b a}b a&b a*b a!b
sha256:0123 00:11:22:33:44:55 ::1 fe80::1 [::1] {{x}} {{.Values.a}} <acr-name>.azurecr.io é ü ß 日本 😀 e\u0301 \u200b \u00a0 a\u00a0b
""".split() + [
    "a b", "a: b", "a #b", "a # b", "- a", "? a", "a -b", "a - b", " a", "a ", "  ", "a\tb", "\ta", "a\t", "yes no", "1 2", "0x10 0", "1 000",
    "no ", " no", "", "a : b", "a :b", "'a' b", '"a" b', "a 'b'", "don't", 'say "x"', "a'", 'a"', "!!int 5", "!!str 5", "!!str yes",
    "!!str", "!!int 0x10", "!!int '5'", "!!int \"010\"", "!!int 5.0", "!!int a", "!!int", "!!int yes", "!!int 99999999999999999999",
    "!!int 18446744073709551615", "!!float 5", "!!float 5.5", "!!float '5'", "!!float 18446744073709551615", "!!float .inf", "!!float a",
    "!!float 0x10", "!!bool yes", "!!bool 'no'", "!!bool 1", "!!bool", "!!bool maybe", "!!null ~", "!!null ''", "!!null", "!!null a", "!!null 'null'",
    "!!timestamp 2001-01-01", "!!timestamp '2001-01-01'", "!!timestamp 2001-13-01", "!!timestamp 5", "!!timestamp a",
    "!!timestamp 2001-12-14 21:59:43", "!!timestamp 2001-12-14T21:59:43+01:00", "!!timestamp 2001-12-14T1:2:3.5z",
    "!!binary aGVsbG8=", "!!binary 'aGVsbG8='", "!!binary aGVsbG8", "!!binary gICA", "!!binary 4oI=", "!!binary aGk=aGk=", "!!binary ''", "!!binary",
    "!!binary a", "!!binary aGl=", "!!binary '!'", "!!merge a", "!!merge '<<'", "!!map a", "!!seq a", "!!set a", "!!foo a", "!foo 5", "!foo 'x'",
    "!foo", "!foo ~", "! 5", "! yes", "! '5'", "!", "! a", "!<tag:yaml.org,2002:int> 5", "!<tag:yaml.org,2002:str> 5", "!<!foo> 5", "!<x> yes",
    "!e!x 5", "&a 5", "&a yes", "&a", "&a !!str 5", "!!str &a 5", "&a.b 5", "&a-b_1 5", "*a", "*b", "&é 5",
]

CLASSES = {
    "integers": INTEGERS,
    "floats": FLOATS,
    "booleans and nulls": WORDS,
    "timestamps": TIMESTAMPS,
    "similar texts": SIMILAR,
}


def single(text):
    return "'" + text.replace("'", "''") + "'"


def double(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t") + '"'


HEAD = "apiVersion: example.com/v1\nkind: Thing\nmetadata:\n  name: a\nspec:\n"

# Where a scalar is, in the specification of an object.
PLACES = {
    "a value": "  a: {}\n",
    "a key": "  {}: a\n",
    "an item": "  - {}\n  - x\n",
    "an item of a list in a mapping": "  a:\n  - {}\n",
    "an item in brackets": "  [x, {}, y]\n",
    "a value in braces": "  {{a: {}, b: x}}\n",
    "a key in braces": "  {{{}: a}}\n",
    "a value before a comment": "  a: {} # b\n",
    "a value on a line of its own": "  a:\n    {}\n",
    "an explicit key": "  ? {}\n  : a\n",
    "the last": "  a: {}",
}


def written(text):
    """The ways to write a text, by name."""
    return {"plain": text, "single": single(text), "double": double(text)}


def cases(texts, places=PLACES):
    """Whole objects with each text in each place, in each way."""
    for text in texts:
        for way, scalar in written(text).items():
            for place in places:
                yield f"{way} {scalar!r} as {place}", HEAD + PLACES[place].format(scalar)


ALPHABETS = [
    "0123456789",
    "0123456789_+-.",
    "0123456789eE.+-_",
    "01_xXoObB+-789afAF",
    "yYnNeEsSoOfFtTrRuUaAlL~.",
    "0123456789-:TtZz .",
    "abcxyz-_./:#'\"%@!&*?|>,[]{}<=~` \\",
]


def drawn(seed, number):
    """Random scalars, most of them near the border between two types."""
    draw = random.Random(seed)
    known = [text for texts in CLASSES.values() for text in texts]
    for _ in range(number):
        kind = draw.random()
        if kind < 0.3:
            # A known one, with a letter changed, added or removed.
            text = list(draw.choice(known))
            for _ in range(draw.randint(1, 2)):
                at = draw.randint(0, len(text))
                letter = draw.choice(draw.choice(ALPHABETS))
                text[at : at + draw.randint(0, 1)] = draw.choice([[letter], []])
            yield "".join(text)
        elif kind < 0.4:
            yield repr(draw.uniform(-1, 1) * 10 ** draw.randint(-320, 308))
        elif kind < 0.5:
            yield str(draw.randint(-(2**65), 2**65) >> draw.randint(0, 64))
        else:
            letters = draw.choice(ALPHABETS)
            yield "".join(draw.choice(letters) for _ in range(draw.randint(1, 12)))
