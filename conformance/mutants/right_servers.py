# SPDX-License-Identifier: ISC
"""Right but different: servers that obey the document in another way than ours, one for each doubt of AUDIT.md.

No MUST or SHOULD case may fail them, except those that a class names in `about`: the SHOULD cases
about the very thing that the server does otherwise.
"""
import re
import secrets
import sys

from base import KO, OK, RIGHT, AnyShape, Mail, Server, reference

NAMES = (b"alice", b"bob", b"carol", b"nobody", b"alic", b"user1", b"a")


class OtherCookie(AnyShape):
    """Cookies of another shape."""

    def draw(self):
        return self.shape().encode()


@RIGHT
class RightCookieOfThreeDigits(OtherCookie):
    """Cookies are three random digits."""

    about = ("cookie-long-enough",)

    def shape(self):
        return str(100 + secrets.randbelow(900))


@RIGHT
class RightCookieOfOneToFourDigits(OtherCookie):
    """Cookies are numbers of one to four digits, so the beginning of one may be another's."""

    about = ("cookie-long-enough",)

    def shape(self):
        return str(secrets.randbelow(10000))


@RIGHT
class RightCookieOfSixteenDigits(OtherCookie):
    """Cookies are 64 random bits in hexadecimal."""

    def shape(self):
        return secrets.token_hex(8)


@RIGHT
class RightCookieInBaseSixtyFour(OtherCookie):
    """Cookies are 22 characters of base 64."""

    def shape(self):
        return secrets.token_urlsafe(16)


@RIGHT
class RightCookieWithPrefix(OtherCookie):
    """All cookies begin with the same word."""

    def shape(self):
        return "session-" + secrets.token_hex(12)


@RIGHT
class RightCookieOfFixedLength(Mail):
    """Decimal cookies of 20 digits."""

    def draw(self):
        return b"%020d" % secrets.randbelow(10 ** 20)

    def user_of(self, cookie):
        return next((user for user, known in self.ID.items() if known == cookie), None)


@RIGHT
class RightNoLimits(Mail):
    """Names, passwords, contents and requests may have any length."""

    def __init__(self, options):
        super().__init__(options)
        reference.REQUEST_MAX = reference.CONTENT_MAX = reference.PASSWORD_MAX = 1 << 40
        reference.USERNAME = re.compile(rb"[a-zA-Z0-9]+")


@RIGHT
class RightShortLimits(Mail):
    """A content has at most 1,000 bytes."""

    def message(self, user, content):
        return KO if len(content) > 1000 else super().message(user, content)

    about = ("wire-slow-reader",)  # its contents are as long as the run's limit


@RIGHT
class RightAsciiOnly(Mail):
    """What is not ASCII is refused."""

    def answer(self, line):
        return super().answer(line) if line is None or line.isascii() else KO


@RIGHT
class RightLogsInColours(Mail):
    """Each request is logged on the terminal, in colours."""

    def answer(self, line):
        sys.stdout.write(f"\x1b[32mrequest\x1b[0m {line!r}\n")
        sys.stdout.flush()
        return super().answer(line)


@RIGHT
class RightKeepsAccounts(Mail):
    """Accounts of earlier runs are still there."""

    def __init__(self, options):
        super().__init__(options)
        for name in NAMES:
            self.RA[name], self.MBX[name] = b"secret", [b"old"]
        self.options.max_accounts += len(NAMES)


@RIGHT
class RightKeepsMessages(Mail):
    """Messages of earlier runs are still on the IMQ."""

    def __init__(self, options):
        super().__init__(options)
        self.IMQ += [(b"alice", b"old"), (b"bob", b"older")]


@RIGHT
class RightWordsForUnknownVerb(Mail):
    """An unknown verb is answered ERROR unknown command."""

    def answer(self, line):
        known = line and line.split(b" ")[0] in self.commands
        return super().answer(line) if known else b"ERROR unknown command"


@RIGHT
class RightWordsForRefusals(Mail):
    """A taken username and a wrong password are refused in words."""

    def register(self, username, password):
        reply = super().register(username, password)
        return b"ERROR username not available" if reply == KO else reply

    def login(self, username, password):
        reply = super().login(username, password)
        return b"ERROR wrong username or password" if reply == KO else reply


@RIGHT
class RightSilentRefusals(Mail):
    """A taken username and a wrong password get no reply."""

    def register(self, username, password):
        reply = super().register(username, password)
        return None if reply == KO else reply

    def login(self, username, password):
        reply = super().login(username, password)
        return None if reply == KO else reply


@RIGHT
class RightKoForStrangers(Mail):
    """STORE, COUNT, GETMSG and DELMSG answer an unknown cookie with KO."""

    def __init__(self, options):
        super().__init__(options)
        for verb in (b"STORE", b"COUNT", b"GETMSG", b"DELMSG"):
            self.commands[verb] = (*self.commands[verb][:2], KO)


@RIGHT
class RightCountNeedsNoCookie(Mail):
    """COUNT and GETMSG do not look at the cookie: the document does not ask them to."""

    def answer(self, line):
        words = (line or b"").split(b" ")
        if len(words) == 3 and words[0] == b"COUNT":
            return self.count(None, words[1])
        if len(words) == 3 and words[0] == b"GETMSG":
            return self.MBX[words[1]][0] if self.MBX.get(words[1]) else KO
        return super().answer(line)


@RIGHT
class RightSharedMailboxes(Mail):
    """GETMSG and DELMSG work on the given user's mailbox, whoever asks."""

    def may_open(self, user, owner):
        return bool(self.MBX.get(owner))


@RIGHT
class RightCountsOnlyOwnMailbox(Mail):
    """COUNT of another user's mailbox is answered KO."""

    def count(self, user, owner):
        return super().count(user, owner) if user == owner else KO


@RIGHT
class RightPasswordsOfLetters(Mail):
    """Passwords hold letters and digits only, as usernames do."""

    def password_fits(self, password):
        return password.isalnum() and super().password_fits(password)

    about = ("login-whole-password-counts",)


@RIGHT
class RightEmptyCookieCloses(Server):
    """A request that ends with a space closes the connection."""

    def answer_all(self, requests):
        if any(line and line.endswith(b" ") for line in requests):
            raise ConnectionError
        return super().answer_all(requests)


@RIGHT
class RightBadBytesClose(Server):
    """A request with a control character, or that is not UTF-8, closes the connection."""

    def answer_all(self, requests):
        if any(line is not None and not reference.is_text(line) for line in requests):
            raise ConnectionError
        return super().answer_all(requests)


@RIGHT
class RightTooLongCloses(Server):
    """A request that is too long closes the connection."""

    def answer_all(self, requests):
        if None in requests:
            raise ConnectionError
        return super().answer_all(requests)


@RIGHT
class RightWrongPasswordCloses(Server):
    """LOGIN with a wrong password, and REGISTER of a taken name, close the connection."""

    def send(self, client, replies, end):
        super().send(client, replies, end)
        if self.refused:
            raise ConnectionError

    def answer_all(self, requests):
        replies = super().answer_all(requests)
        self.refused = any(line and line.split(b" ")[0] in (b"LOGIN", b"REGISTER") and reply == KO
                           for line, reply in zip(requests, replies))
        return replies


@RIGHT
class RightLogoutCloses(Server):
    """LOGOUT ends the session and closes the connection without a reply."""

    def answer_all(self, requests):
        replies = super().answer_all(requests)
        if any(line and line.startswith(b"LOGOUT") and reply == OK for line, reply in zip(requests, replies)):
            raise ConnectionError
        return replies


@RIGHT
class RightVerbsByBeginning(Mail):
    """A request is what it begins with: MESSAGES is MESSAGE."""

    def answer(self, line):
        verb = next((verb for verb in self.commands if (line or b"").startswith(verb)), None)
        return super().answer(line if verb is None else verb + (line[len(verb):] if line[len(verb):len(verb) + 1] == b" "
                                                                else b" " + line.partition(b" ")[2]))


@RIGHT
class RightContentIsOneWord(Mail):
    """MESSAGE takes a content of one word: "the second part" of the string."""

    def split(self, verb, rest):
        return rest.split(b" ")


@RIGHT
class RightQueueWithoutShares(Mail):
    """No sender's share of the IMQ, and no limit of it."""

    def room_for(self, user, content):
        return True
