# SPDX-License-Identifier: ISC
"""How a transcript's bytes reach the server. Whatever the delivery, the replies are the same.

whole       each request in one piece, its reply awaited
bytes       each byte in a piece of its own
split       once for each place to cut a request: before its terminator, inside it, and
            before its last byte; there the next request's first byte comes with the rest
pipelined   requests that need nothing from each other's replies in one piece
half-close  whole, and the client's input ends right after its last request
"""

NAMES = ("whole", "bytes", "split", "pipelined", "half-close")
BREATH = 0.001  # seconds between two pieces, so that the server reads them apart
SHORT_BREATH = 0.00002  # between single bytes, of which there are many
ENDS = 8  # pieces of many at either end that have pauses between them
LONG = 300  # bytes; of a longer request the middle goes in larger pieces
WITHOUT_TERMINATOR = ("whole", "half-close")
ONE_REQUEST_EACH = ("whole", "bytes", "half-close")


def impossible(name, framing, connection, case):
    """Why this delivery cannot be, or None."""
    if case.deliveries and name not in case.deliveries:
        return "the case is about its own delivery"
    if framing == "none" and name not in WITHOUT_TERMINATOR:
        return "without terminators a request is one piece"
    if "none" in case.framings.values() and name not in WITHOUT_TERMINATOR:
        return "the case has a client without terminators"
    if connection == "each" and name not in ONE_REQUEST_EACH:
        return "each connection carries one request"
    if case.kind == "client" and name != "whole":
        return "the client sends as it likes"
    return None


class Delivery:
    """One way through a transcript; cut is where a split one cuts, counted from the terminator."""

    LENT = 1  # bytes of the next request

    def __init__(self, name, cut=0):
        self.name, self.cut = name, cut

    def breath(self):
        return SHORT_BREATH if self.name == "bytes" else BREATH

    def breathes(self, number, count):
        """Is there a pause before this piece? Not in the middle of many: they are sent apart, and may be read together."""
        return 0 < number < ENDS or number > max(0, count - ENDS)

    def label(self):
        return f"split {self.cut:+d}" if self.name == "split" else self.name

    def pieces(self, data, terminator):
        """data, a request with its terminator, in the pieces in which it is sent."""
        if self.name == "bytes":
            return bytewise(data)
        if self.name == "split":
            at = len(data) - terminator + self.cut
            return [data[:at], data[at:]] if 0 < at < len(data) else [data]
        return [data]

    def borrowed(self):
        """How many bytes of the next request go with this one's terminator."""
        return self.LENT if self.name == "split" and self.cut < 0 else 0


def bytewise(data):
    ends = LONG // 2
    if len(data) <= LONG:
        return [data[at:at + 1] for at in range(len(data))]
    middle = data[ends:-ends]
    return (bytewise(data[:ends]) + [middle[at:at + 61] for at in range(0, len(middle), 61)] +
            bytewise(data[-ends:]))


def ways(name, framing):
    """The deliveries that a name stands for."""
    if name != "split":
        return [Delivery(name)]
    terminator = 2 if framing == "crlf" else 1
    return [Delivery(name, cut) for cut in range(-1, terminator)]
