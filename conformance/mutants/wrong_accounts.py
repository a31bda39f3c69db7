# SPDX-License-Identifier: ISC
"""Wrong in REGISTER: usernames, passwords, cookies."""
import hashlib

from base import CHOICE, KO, MUST, OK, SHOULD, AnyShape, Mail, reference


@MUST
class RegisterGivesNoCookie(Mail):
    """REGISTER is answered OK without a cookie."""

    def register(self, username, password):
        return super().register(username, password)[:2]


@MUST
class RegisterForgetsPassword(Mail):
    """REGISTER stores an empty password."""

    def register(self, username, password):
        reply = super().register(username, password)
        if reply != KO:
            self.RA[username] = b""
        return reply


@MUST
class OnePasswordForAll(Mail):
    """The last registered password is everybody's."""

    def register(self, username, password):
        reply = super().register(username, password)
        if reply != KO:
            self.RA.update(dict.fromkeys(self.RA, password))
        return reply


@MUST
class OneMailboxForAll(Mail):
    """All users share one list of messages, the classic default argument."""

    def register(self, username, password, box=[]):  # noqa: B006  (that is the fault)
        reply = super().register(username, password)
        if reply != KO:
            self.MBX[username] = box
        return reply


@MUST
class RegisterMakesNoMailbox(Mail):
    """A mailbox is there only when something was stored."""

    def count(self, user, owner):
        return KO if not self.MBX.get(owner) else super().count(user, owner)


@MUST
class MailboxBeginsWithWelcome(Mail):
    """A new mailbox holds a message of welcome."""

    def register(self, username, password):
        reply = super().register(username, password)
        if reply != KO:
            self.MBX[username].append(b"welcome")
        return reply


@MUST
class OneCookieForAll(Mail):
    """Every session gets the same cookie."""

    def new_session(self, username):
        self.ID[username] = b"0123456789abcdef0123456789abcdef"
        self.AC.append(self.ID[username])
        return self.ID[username]


@MUST
class CookiesRepeat(Mail):
    """The random source has four values, and AC is not asked."""

    def new_session(self, username):
        self.end_session(username)
        self.drawn = getattr(self, "drawn", 0) + 1
        self.ID[username] = b"%032x" % (self.drawn % 4)
        self.AC.append(self.ID[username])
        return self.ID[username]


@SHOULD
class CookieIsCounter(Mail):
    """Cookies are counted up."""

    def draw(self):
        self.drawn = getattr(self, "drawn", 0) + 1
        return b"%032x" % self.drawn


@MUST
class CookieFromName(Mail):
    """The cookie is a hash of the username."""

    def new_session(self, username):
        self.end_session(username)
        self.ID[username] = hashlib.md5(username).hexdigest().encode()
        self.AC.append(self.ID[username])
        return self.ID[username]


@SHOULD
class CookieIsShort(AnyShape):
    """Cookies have five digits."""

    def draw(self):
        return super().draw()[:5]


@CHOICE
class CookieInBaseSixtyFour(AnyShape):
    """Cookies have 44 characters with + / and =."""

    def draw(self):
        return (super().draw() + super().draw())[:41] + b"+/="


@MUST
class RegisterStartsNoSession(Mail):
    """The cookie that REGISTER gives is not stored in ID."""

    def register(self, username, password):
        reply = super().register(username, password)
        if reply != KO:
            self.end_session(username)
        return reply


@SHOULD
class RegisterAgainReplacesAll(Mail):
    """REGISTER of a taken name makes the account anew."""

    def register(self, username, password):
        self.RA.pop(username, None)
        return super().register(username, password)


@SHOULD
class RegisterAgainLogsIn(Mail):
    """REGISTER of a taken name with its password is a LOGIN."""

    def register(self, username, password):
        return super().login(username, password) if username in self.RA else super().register(username, password)


@SHOULD
class RegisterAgainChangesPassword(Mail):
    """REGISTER of a taken name is refused, but the password is changed."""

    def register(self, username, password):
        if username in self.RA:
            self.RA[username] = password
        return super().register(username, password)


@SHOULD
class RegisterAgainEmptiesMailbox(Mail):
    """REGISTER of a taken name is refused, but the mailbox is made anew."""

    def register(self, username, password):
        if username in self.MBX:
            self.MBX[username] = []
        return super().register(username, password)


@SHOULD
class RegisterAgainEndsSession(Mail):
    """REGISTER of a taken name is refused, but ends the session."""

    def register(self, username, password):
        if username in self.RA:
            self.end_session(username)
        return super().register(username, password)


class AnyName(Mail):
    """Usernames of any shape that fits() allows."""

    def fits(self, username):
        return True

    def register(self, username, password):
        if not self.fits(username) or username in self.RA or not self.password_fits(password):
            return KO
        self.RA[username], self.MBX[username] = password, []
        return OK + b" " + self.new_session(username)


@CHOICE
class AnyNameWillDo(AnyName):
    """Usernames may hold any character and may be empty."""


@CHOICE
class NamesInAnyAlphabet(AnyName):
    """Usernames are checked with isalnum(), which knows letters of all alphabets."""

    def fits(self, username):
        return username.decode().isalnum()


@CHOICE
class NamesLonger(AnyName):
    """Usernames may have 64 bytes."""

    def fits(self, username):
        return username.decode().isalnum() and username.isascii() and len(username) <= 64


@CHOICE
class NamesShorter(AnyName):
    """Usernames may have 31 bytes."""

    def fits(self, username):
        return reference.USERNAME.fullmatch(username) and len(username) <= 31


@CHOICE
class NamesCutOff(Mail):
    """A username that is too long is cut to one that fits."""

    def split(self, verb, rest):
        parts = super().split(verb, rest)
        return [parts[0][:32]] + parts[1:] if verb in (b"REGISTER", b"LOGIN") else parts


@CHOICE
class NamesNeedTwoLetters(AnyName):
    """A username has at least two characters."""

    def fits(self, username):
        return reference.USERNAME.fullmatch(username) and len(username) > 1


@CHOICE
class NamesNeedALetter(AnyName):
    """A username is not all digits."""

    def fits(self, username):
        return reference.USERNAME.fullmatch(username) and not username.isdigit()


@CHOICE
class NamesReserved(AnyName):
    """Verbs and replies are no usernames."""

    def fits(self, username):
        return reference.USERNAME.fullmatch(username) and username not in (b"DUMP", b"OK", b"KO")


@CHOICE
class NamesInAnyCase(Mail):
    """Usernames are kept in small letters."""

    def split(self, verb, rest):
        parts = super().split(verb, rest)
        return parts if verb in (b"LOGOUT", b"MESSAGE") else [parts[0].lower()] + parts[1:]


class PasswordLength(Mail):
    """Other lengths of passwords."""

    least, most = 1, 128

    def password_fits(self, password):
        return self.least <= len(password) <= self.most


@CHOICE
class PasswordsLonger(PasswordLength):
    """Passwords may be of any length."""

    most = 4000


@CHOICE
class PasswordsShorter(PasswordLength):
    """Passwords may have 127 bytes."""

    most = 127


@CHOICE
class PasswordsNeedSix(PasswordLength):
    """Passwords have at least six bytes."""

    least = 6


@CHOICE
class PasswordsMayBeEmpty(PasswordLength):
    """Passwords may be empty."""

    least = 0


@CHOICE
class PasswordsCountedInCharacters(Mail):
    """A password is counted in characters."""

    def password_fits(self, password):
        return 1 <= len(password.decode()) <= 128


@CHOICE
class PasswordsAlphanumeric(Mail):
    """Passwords hold letters and digits only."""

    def password_fits(self, password):
        return super().password_fits(password) and password.decode().isalnum()


@SHOULD
class PasswordsCutOff(Mail):
    """Only the first eight bytes of a password count, as they did with crypt()."""

    def login(self, username, password):
        return super().login(username, self.RA.get(username, b"")) if self.RA.get(
            username, b"")[:8] == password[:8] else KO


@CHOICE
class AccountsUnlimited(Mail):
    """There is always room for one more account."""

    def __init__(self, options):
        options.max_accounts = 1 << 30
        super().__init__(options)


@SHOULD
class RefusedAccountStays(Mail):
    """A REGISTER for which there is no room is refused, but the account is there."""

    def register(self, username, password):
        reply = super().register(username, password)
        if reply == KO and username not in self.RA and len(self.RA) >= self.options.max_accounts:
            self.RA[username], self.MBX[username] = password, []
        return reply


@MUST
class OnlyTenAccounts(Mail):
    """The eleventh user is not stored."""

    def register(self, username, password):
        reply = super().register(username, password)
        for late in list(self.RA)[10:]:
            del self.RA[late]
        return reply
