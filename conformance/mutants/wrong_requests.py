# SPDX-License-Identifier: ISC
"""Wrong in how a request is read."""
import os
import re

from base import CHOICE, KO, LOG_IN, MUST, OK, SHOULD, Mail, Server, reference


class OtherLine(Mail):
    """Changes a request before it is read."""

    def is_dump(self, line):
        return super().is_dump(line and self.line(line))

    def answer(self, line):
        return super().answer(line and self.line(line))


IS_TEXT = reference.is_text  # the right one: a mutant takes its place for a while


class OtherText(Mail):
    """Another idea of what text is; the rest of the requests are as they were."""

    def is_dump(self, line):
        return line is not None and len(line) <= 4137 and self.good(line) and line.split(b" ")[0] == b"DUMP"

    def answer(self, line):
        if line is None or not self.good(line) or IS_TEXT(line):
            return super().answer(line)
        kept, reference.is_text = reference.is_text, self.good
        try:
            return super().answer(line)
        finally:
            reference.is_text = kept

    def dump(self):
        kept = self.IMQ, self.MBX
        self.IMQ = [(who, text.decode(errors="replace").encode()) for who, text in self.IMQ]
        self.MBX = {who: [text.decode(errors="replace").encode() for text in box] for who, box in self.MBX.items()}
        printout = super().dump()
        self.IMQ, self.MBX = kept
        return printout


@CHOICE
class ControlsAllowed(OtherText):
    """Control characters but ESC and BEL are allowed."""

    def good(self, line):
        return IS_TEXT(re.sub(rb"[\x01-\x06\x08-\x1a\x1c-\x1f\x7f]", b"", line))


@SHOULD
class EscapesAllowed(OtherText):
    """Control characters are allowed, and get onto the terminal."""

    def good(self, line):
        return IS_TEXT(re.sub(rb"[\x01-\x1f\x7f]", b"", line))


@SHOULD
class BellAllowed(OtherText):
    """BEL is allowed, and gets onto the terminal."""

    def good(self, line):
        return IS_TEXT(line.replace(b"\x07", b""))


@SHOULD
class CsiAllowed(OtherText):
    """U+0080 to U+009F are allowed, and get onto the terminal."""

    def good(self, line):
        return IS_TEXT(re.sub(rb"\xc2[\x80-\x9f]", b"", line))


@CHOICE
class DeleteAllowed(OtherText):
    """DEL is allowed."""

    def good(self, line):
        return IS_TEXT(line.replace(b"\x7f", b""))


@CHOICE
class TabAllowed(OtherText):
    """TAB is allowed in a content."""

    def good(self, line):
        return IS_TEXT(line.replace(b"\t", b""))


@CHOICE
class AnyBytesAllowed(OtherText):
    """Nobody looks whether a request is UTF-8."""

    def good(self, line):
        return not re.search(rb"[\x00-\x1f\x7f]", line)


@CHOICE
class OverlongAllowed(OtherText):
    """Overlong UTF-8 and surrogates are allowed."""

    def good(self, line):
        wide = rb"[\xc0\xc1][\x80-\xbf]|\xe0[\x80-\x9f][\x80-\xbf]|\xed[\xa0-\xbf][\x80-\xbf]|\xf0[\x80-\x8f][\x80-\xbf]{2}"
        return IS_TEXT(re.sub(wide, b"", line))


@SHOULD
class BadBytesDropped(OtherLine):
    """Bytes that are not text are dropped, and the rest is carried out."""

    def line(self, line):
        return re.sub("[\x00-\x1f\x7f-\x9f]", "", line.decode(errors="ignore")).encode()


@CHOICE
class NulEndsString(OtherLine):
    """What follows a NUL is not looked at."""

    def line(self, line):
        return line.split(b"\0")[0] or line


@CHOICE
class TabIsSpace(OtherLine):
    """A TAB separates parts, as a space does."""

    def line(self, line):
        return line.replace(b"\t", b" ")


@CHOICE
class SpacesJoined(OtherLine):
    """Several spaces separate parts as one does."""

    def line(self, line):
        return line if line.startswith(b"MESSAGE") else re.sub(b" +", b" ", line)


@CHOICE
class SpacesAtEndDropped(OtherLine):
    """Spaces at the end of a request are dropped."""

    def line(self, line):
        return line.rstrip(b" ") or line


@CHOICE
class SpacesInFrontDropped(OtherLine):
    """Spaces in front of a request are dropped."""

    def line(self, line):
        return line.lstrip(b" ") or line


@CHOICE
class VerbsInAnyCase(OtherLine):
    """A verb may be in small letters."""

    def line(self, line):
        verb, space, rest = line.partition(b" ")
        return verb.upper() + space + rest


@CHOICE
class VerbsByBeginning(OtherLine):
    """startswith() finds the verb."""

    def line(self, line):
        verb, space, rest = line.partition(b" ")
        found = next((known for known in [*self.commands, b"DUMP"] if verb.startswith(known)), verb)
        return found + space + rest


@CHOICE
class VerbsShortened(OtherLine):
    """The beginning of a verb will do."""

    def line(self, line):
        verb, space, rest = line.partition(b" ")
        found = next((known for known in [b"DUMP", *self.commands] if verb and known.startswith(verb)), verb)
        return found + space + rest


@CHOICE
class VerbsGlued(OtherLine):
    """Punctuation around a verb does not matter."""

    def line(self, line):
        verb, space, rest = line.partition(b" ")
        return verb.strip(b',;"').split(b";")[0] + space + rest


class MoreWords(Mail):
    """Further words are ignored."""

    verbs = ()

    def answer(self, line):
        words = (line or b"").split(b" ")
        return super().answer(b" ".join(words[:3]) if words[0] in self.verbs else line)


@CHOICE
class RegisterIgnoresMore(MoreWords):
    """REGISTER ignores a fourth word."""

    verbs = (b"REGISTER",)


@CHOICE
class LoginIgnoresMore(MoreWords):
    """LOGIN ignores a fourth word."""

    verbs = (b"LOGIN",)


@CHOICE
class CommandsIgnoreMore(MoreWords):
    """COUNT, GETMSG, DELMSG and STORE ignore a fourth word."""

    verbs = (b"COUNT", b"GETMSG", b"DELMSG", b"STORE")


@CHOICE
class PasswordMayBeMissing(Mail):
    """REGISTER without a password registers with an empty one."""

    def answer(self, line):
        words = (line or b"").split(b" ")
        if words[0] == b"REGISTER" and len(words) == 2 and words[1] not in self.RA and words[1]:
            self.RA[words[1]], self.MBX[words[1]] = b"", []
            return OK + b" " + self.new_session(words[1])
        return super().answer(line)


class Unasked(Server):
    """Answers some requests by itself."""

    def answer_all(self, requests):
        return [self.own(line) if self.is_own(line) else super(Unasked, self).answer_all([line])[0] for line in requests]

    def is_own(self, line):
        verb = (line or b"").split(b" ")[0]
        return line is not None and verb not in self.mail.commands and verb != b"DUMP"

    def own(self, line):
        return None


@CHOICE
class EmptyIsIgnored(Unasked):
    """An empty request is not answered."""

    def is_own(self, line):
        return line == b""


@CHOICE
class UnknownVerbIsIgnored(Unasked):
    """An unknown verb is not answered."""


@CHOICE
class UnknownVerbIsNamed(Unasked):
    """An unknown verb is answered with words."""

    def own(self, line):
        return b"KO unknown command"


@CHOICE
class UnknownVerbCloses(Server):
    """An unknown verb closes the connection without a reply."""

    def answer_all(self, requests):
        for line in requests:
            verb = (line or b"").split(b" ")[0]
            if line is not None and verb not in self.mail.commands and verb != b"DUMP":
                raise ConnectionError
        return super().answer_all(requests)


@SHOULD
class KoCloses(Server):
    """KO closes the connection."""

    def send(self, client, replies, end):
        super().send(client, replies, end)
        if KO in replies:
            raise ConnectionError


@SHOULD
class LogInCloses(Server):
    """You should log in first. closes the connection."""

    def send(self, client, replies, end):
        super().send(client, replies, end)
        if LOG_IN in replies:
            raise ConnectionError


@CHOICE
class LogoutCloses(Server):
    """LOGOUT closes the connection after its OK."""

    def answer_all(self, requests):
        self.parting = any(line and line.startswith(b"LOGOUT") for line in requests)
        return super().answer_all(requests)

    def send(self, client, replies, end):
        super().send(client, replies, end)
        if self.parting and OK in replies:
            raise ConnectionError


@CHOICE
class BrowsersAreShutOut(Server):
    """A line that a browser sends closes the connection at once."""

    def answer_all(self, requests):
        if any(line and line.startswith(b"GET ") for line in requests):
            raise ConnectionError
        return super().answer_all(requests)


@SHOULD
class LongWordKills(Mail):
    """A word of over 2,000 bytes ends the server."""

    def answer(self, line):
        if any(len(word) > 2000 for word in (line or b"").split(b" ")[1:2]) and not line.startswith(b"MESSAGE"):
            os._exit(1)
        return super().answer(line)


@SHOULD
class NotUtf8Kills(Mail):
    """A request that is not UTF-8 is an exception that nobody catches."""

    def answer(self, line):
        try:
            (line or b"").decode()
        except UnicodeDecodeError:
            os._exit(1)
        return super().answer(line)


class Order(Mail):
    """Checks the cookie earlier or later than it should."""

    def stranger(self, line):
        words = (line or b"").split(b" ")
        known = words[0] in self.commands and self.commands[words[0]][2] == LOG_IN
        return known and self.user_of(words[-1]) is None


@CHOICE
class CookieBeforeParts(Order):
    """An unknown cookie is told before a wrong number of parts."""

    def answer(self, line):
        return LOG_IN if self.stranger(line) and line.count(b" ") > 2 else super().answer(line)


@CHOICE
class CookieBeforeBytes(Order):
    """An unknown cookie is told before bad bytes."""

    def answer(self, line):
        return LOG_IN if self.stranger(line) and not IS_TEXT(line) else super().answer(line)


@CHOICE
class CookieBeforeLength(Server):
    """An unknown cookie is told before the length."""

    def answer_all(self, requests):
        replies = super().answer_all(requests)
        return [LOG_IN if line is None else reply for line, reply in zip(requests, replies)]


@CHOICE
class RoomBeforeCookie(Order):
    """An empty or too long content is told before an unknown cookie."""

    def answer(self, line):
        content = (line or b"")[8:].rpartition(b" ")[0]
        wrong = line is not None and line.startswith(b"MESSAGE ") and not 0 < len(content) <= 4096
        return KO if wrong and line.count(b" ") > 1 else super().answer(line)


@CHOICE
class OwnershipBeforeName(Mail):
    """GETMSG and DELMSG ask to log in as the user of another mailbox."""

    def getmsg(self, user, owner):
        return super().getmsg(user, owner) if user == owner else LOG_IN

    def delmsg(self, user, owner):
        return super().delmsg(user, owner) if user == owner else LOG_IN


@CHOICE
class NameShapeAsksToLogIn(Mail):
    """A misshapen username is answered as an unknown cookie is."""

    def answer(self, line):
        words = (line or b"").split(b" ")
        if words[0] in (b"STORE", b"COUNT", b"GETMSG") and len(words) == 3 and not words[1].isalnum():
            return LOG_IN
        return super().answer(line)


@MUST
class WordsLost(Mail):
    """Every hundredth request is answered KO."""

    def answer(self, line):
        self.asked = getattr(self, "asked", 0) + 1
        return KO if self.asked % 100 == 0 else super().answer(line)
