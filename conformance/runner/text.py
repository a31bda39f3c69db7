# SPDX-License-Identifier: ISC
"""Bytes made visible for people, and escapes turned back into bytes."""
import difflib

NAMED = {"n": b"\n", "r": b"\r", "t": b"\t", "0": b"\0", "s": b" ", "e": b"\x1b", "\\": b"\\", "{": b"{", "}": b"}"}
SHOWN = {0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t", 0x00: "\\0", 0x1B: "\\e", 0x5C: "\\\\"}
LONGEST_SHOWN = 400


def visible(data):
    """Bytes as one printable line: UTF-8 stays, everything else becomes an escape."""
    out = []
    for char in data.decode("utf-8", "surrogateescape"):
        code = ord(char)
        if code in SHOWN:
            out.append(SHOWN[code])
        elif 0xDC80 <= code <= 0xDCFF:
            out.append(f"\\x{code - 0xDC00:02X}")
        elif char == " " or char.isprintable():
            out.append(char)
        else:
            out.extend(f"\\x{byte:02X}" for byte in char.encode())
    return "".join(out)


def shortened(text, longest=LONGEST_SHOWN):
    """A long line with its middle left out and counted."""
    if len(text) <= longest:
        return text
    half = longest // 2 - 10
    return f"{text[:half]}...({len(text) - 2 * half} more)...{text[-half:]}"


def show(data):
    """Bytes for a report: visible, and not too long."""
    return shortened(visible(data))


def take_escape(text, at):
    """The bytes of the escape whose backslash stands at text[at], and where it ends."""
    if at + 1 >= len(text):
        raise ValueError("a backslash at the end of the line")
    letter = text[at + 1]
    if letter == "x":
        digits = text[at + 2:at + 4]
        if len(digits) != 2 or any(digit not in "0123456789abcdefABCDEF" for digit in digits):
            raise ValueError(f"\\x{digits} is no escape: want two hexadecimal digits")
        return bytes([int(digits, 16)]), at + 4
    if letter not in NAMED:
        raise ValueError(f"\\{letter} is no escape: want \\n \\r \\t \\0 \\s \\e \\\\ \\{{ \\}} or \\xHH")
    return NAMED[letter], at + 2


def near(word, known):
    """A remark on the known word that somebody may have meant, or nothing."""
    close = difflib.get_close_matches(word, known, 1)
    return f"; did you mean {close[0]}?" if close else ""


def lines_of(path, error):
    """(place, line) of each line of a text file that is neither empty nor a comment; error(what) if it cannot be read."""
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
    except (OSError, UnicodeDecodeError) as trouble:
        raise error(f"{path}: {getattr(trouble, 'strerror', None) or 'not UTF-8'}") from None
    return [(f"{path}:{number}", line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
