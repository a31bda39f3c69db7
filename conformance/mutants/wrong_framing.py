# SPDX-License-Identifier: ISC
"""Wrong in where a request ends, and how long it may be."""
import os

from base import CHOICE, SHOULD, Frames, Server, reference

LONGEST = reference.REQUEST_MAX

# ---- where a request ends


@CHOICE
class CrIsKept(Frames):
    """The CR of CR LF belongs to the request."""

    def finished(self, line):
        if self.ending == b"\n" and line.endswith(b"\r"):
            return line
        return super().finished(line)


@CHOICE
class AllCrAreDropped(Frames):
    """All CR before the LF are dropped."""

    def finished(self, line):
        return super().finished(line.rstrip(b"\r") if self.ending == b"\n" else line)


@CHOICE
class CrEndsRequest(Frames):
    """A CR ends a request, too."""

    def feed(self, data):
        return super().feed(data.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))


@CHOICE
class CrNulDropped(Frames):
    """A CR before the NUL is dropped, too."""

    def finished(self, line):
        return super().finished(line[:-1] if line.endswith(b"\r") else line)


@CHOICE
class LfAndNulBoth(Frames):
    """LF and NUL both end requests on any connection."""

    def feed(self, data):
        return super().feed(data.replace(b"\0", b"\n"))


@CHOICE
class RepliesEndWithLf(Server):
    """Replies end with LF, whatever ends the requests."""

    def send(self, client, replies, end):
        super().send(client, replies, end and b"\n")


@CHOICE
class RepliesEndWithCrLf(Server):
    """Replies end with CR LF."""

    def send(self, client, replies, end):
        super().send(client, replies, b"\r\n" if end == b"\n" else end)


@CHOICE
class RepliesAlwaysEnd(Server):
    """A reply to an unterminated request ends with LF."""

    def send(self, client, replies, end):
        super().send(client, replies, end or b"\n")


@CHOICE
class TerminatedOnly(Frames):
    """Silence ends no request."""

    def patience(self):
        return None


@CHOICE
class SilenceAfterOneByte(Frames):
    """A single byte and silence are a request."""

    def silence(self):
        if self.ending == self.UNKNOWN and len(self.buffer) == 1:
            self.ending = self.SILENCE
        return super().silence()


@CHOICE
class SilenceEndsAll(Frames):
    """Silence ends requests on terminated connections, too."""

    def patience(self):
        return 0.15 if self.buffer else None

    def silence(self):
        line, self.buffer = self.buffer, b""
        return [line] if line else []


@CHOICE
class SilenceWithoutEndOfInput(Server):
    """The end of input does not end an unterminated request."""

    def receive(self, client, frames):
        requests, over = super().receive(client, frames)
        return ([] if over else requests), over


@CHOICE
class UnterminatedOnce(Frames):
    """After its first request an unterminated connection must use terminators."""

    def silence(self):
        requests = super().silence()
        if requests:
            self.ending, self.once = b"\n", True
        return requests

    def reply_end(self):
        return b"" if getattr(self, "once", False) else super().reply_end()


@CHOICE
class UnterminatedIsSplit(Frames):
    """An LF inside an unterminated request makes two of it."""

    def silence(self):
        return [part for line in super().silence() if line is not None for part in line.split(b"\n")]


@CHOICE
class UnterminatedKeepsEnd(Frames):
    """A terminator at the end of an unterminated request belongs to it."""

    def silence(self):
        if self.patience() is None or len(self.buffer) < 2 and self.ending == self.UNKNOWN:
            return []
        self.ending = self.SILENCE
        line, self.buffer = self.buffer, b""
        return [self.finished(line)]


@CHOICE
class CourseIsAuto(Frames):
    """--framing course and --framing terminated do nothing."""

    def __init__(self, style="auto"):
        super().__init__("auto")


@SHOULD
class OneReadOneRequest(Frames):
    """Whatever one read returns is one request."""

    def feed(self, data):
        self.ending = b"\n"
        return [line for line in [data.rstrip(b"\r\n")] if line is not None]


@SHOULD
class FirstOfPacketOnly(Frames):
    """Of several requests in one packet all but the first get lost."""

    def feed(self, data):
        return super().feed(data)[:1]


@SHOULD
class RestOfPacketLost(Frames):
    """What follows a terminator in the same packet gets lost."""

    def feed(self, data):
        end = self.ending if self.ending in (b"\n", b"\0") else b"\n"
        head, found, _ = data.partition(end)
        return super().feed(head + found)


@SHOULD
class EachReadDecoded(Frames):
    """Each read is decoded by itself, so a character that is cut is lost."""

    def feed(self, data):
        return super().feed(data.decode(errors="replace").encode() if b"\xff" not in data else data)


@SHOULD
class CrLfCutIsTwo(Frames):
    """A LF that comes apart from its CR is an empty request."""

    def feed(self, data):
        cut = self.buffer.endswith(b"\r") and data.startswith(b"\n")
        return super().feed(data) + ([b""] if cut else [])


@SHOULD
class BufferEdgeLosesByte(Frames):
    """The terminator at the end of a buffer of 4,096 bytes is not seen."""

    def feed(self, data):
        if len(self.buffer) + data.find(b"\n") == 4095:
            data = data.replace(b"\n", b"", 1)
        return super().feed(data)


@SHOULD
class BufferOfKilobyte(Frames):
    """Requests that end at 1,023 bytes are not seen."""

    def feed(self, data):
        if len(self.buffer) + data.find(b"\n") == 1022:
            data = data.replace(b"\n", b"", 1)
        return super().feed(data)


@SHOULD
class EdgeInsideCrLf(Frames):
    """A CR LF that a buffer of 224 bytes cuts in two ends no request."""

    def feed(self, data):
        return super().feed(data[:224] + data[225:] if data[223:225] == b"\r\n" else data)

# ---- requests that are too long


class Overlong(Frames):
    """Does something else with a request that is too long."""

    def feed(self, data):
        return [part for line in super().feed(data) for part in ([line] if line is not None else self.instead())]


@SHOULD
class OverlongNotAnswered(Overlong):
    """A request that is too long is not answered."""

    def instead(self):
        return []


@SHOULD
class OverlongAnsweredTwice(Overlong):
    """A request that is too long is answered twice."""

    def instead(self):
        return [None, None]


@SHOULD
class OverlongTailRuns(Frames):
    """A request that is too long is cut where the buffer ends, and its tail runs."""

    size = 4096

    def feed(self, data):
        self.buffer += data
        requests = []
        while self.ending != self.SILENCE:
            if self.ending == self.UNKNOWN:
                self.ending = self.first_terminator()
            end = self.buffer.find(self.ending) if self.ending != self.UNKNOWN else -1
            if end > LONGEST + 1 or (end < 0 and len(self.buffer) > LONGEST + 2):
                requests.append(self.buffer[:self.size])
                self.buffer = self.buffer[self.size:]
            elif end >= 0:
                requests.append(self.finished(self.buffer[:end]))
                self.buffer = self.buffer[end + 1:]
            else:
                break
        return requests


@SHOULD
class OverlongTailRunsSmall(OverlongTailRuns):
    """The same with a buffer of 1,024 bytes."""

    size = 1024


@CHOICE
class OverlongCutOff(Frames):
    """A request that is too long is cut off and carried out."""

    def feed(self, data):
        self.kept = (getattr(self, "kept", b"") + data)[-(1 << 18):]
        requests = super().feed(data)
        if any(line is None for line in requests):
            lines = [line[:LONGEST] for line in self.kept.split(self.ending)[:-1]]
            requests = lines[-len(requests):]
        if self.ending in (b"\n", b"\0"):
            self.kept = self.kept.rpartition(self.ending)[2]
        return requests


@CHOICE
class OverlongCloses(Server):
    """A request that is too long closes the connection."""

    def answer_all(self, requests):
        if None in requests:
            raise ConnectionError
        return super().answer_all(requests)


class OtherLimit(Frames):
    """Another length of a request."""

    longest = LONGEST

    def finished(self, line):
        done = super().finished(line)
        return None if done is not None and self.length(line, done) > self.longest else done

    def length(self, line, done):
        return len(done)


@CHOICE
class RequestShorter(OtherLimit):
    """A request may have one byte less."""

    longest = LONGEST - 1


@CHOICE
class RequestCountsCr(OtherLimit):
    """The CR counts, too."""

    def length(self, line, done):
        return len(line)


@CHOICE
class RequestCountsNul(OtherLimit):
    """The NUL counts, too."""

    def length(self, line, done):
        return len(line) + (self.ending == b"\0")


@CHOICE
class RequestLonger(Frames):
    """A request of the greatest length and one byte is carried out."""

    def finished(self, line):
        if len(line) == LONGEST + 1 and not line.endswith(b"\r"):
            line = line[:-1]
        return super().finished(line)


@SHOULD
class UnterminatedOverlongTwice(Frames):
    """An unterminated request that is too long gets two answers."""

    def silence(self):
        return [part for line in super().silence() for part in ([line] if line is not None else [None, b""])]


@SHOULD
class HundredThousandKills(Frames):
    """A request of over 100,000 bytes ends the server."""

    def feed(self, data):
        self.seen = 0 if b"\n" in data else getattr(self, "seen", 0) + len(data)
        if self.seen > 100_000:
            os._exit(1)
        return super().feed(data)
