# SPDX-License-Identifier: ISC
"""Wrong in LOGIN, LOGOUT and what a cookie opens."""
import threading

from base import CHOICE, KO, LOG_IN, MUST, OK, SHOULD, AnyShape, Mail, reference

# ---- LOGIN


@MUST
class LoginGivesNoCookie(Mail):
    """LOGIN is answered OK without a cookie."""

    def login(self, username, password):
        return super().login(username, password)[:2]


@MUST
class LoginGivesOldCookie(Mail):
    """LOGIN gives the cookie that the user already has."""

    def login(self, username, password):
        old = self.ID.get(username)
        return OK + b" " + old if old and self.RA.get(username) == password else super().login(username, password)


@MUST
class LoginStartsNoSession(Mail):
    """LOGIN gives a cookie that is not stored."""

    def login(self, username, password):
        reply = super().login(username, password)
        if reply != KO:
            self.end_session(username)
        return reply


@MUST
class LoginLeavesOldCookie(Mail):
    """After a second LOGIN the first cookie still works."""

    def __init__(self, options):
        super().__init__(options)
        self.known = {}

    def new_session(self, username):
        cookie = super().new_session(username)
        self.known[cookie] = username
        return cookie

    def user_of(self, cookie):
        return self.known.get(cookie)

    def logout(self, user):
        self.known = {cookie: name for cookie, name in self.known.items() if name != user}
        return super().logout(user)


@MUST
class LoginOnlyWhenLoggedOut(Mail):
    """LOGIN is refused while the user has a session."""

    def login(self, username, password):
        return KO if username in self.ID else super().login(username, password)


@SHOULD
class LoginWithAnyPassword(Mail):
    """LOGIN does not look at the password."""

    def login(self, username, password):
        return super().login(username, self.RA.get(username, password))


@SHOULD
class LoginWithBeginning(Mail):
    """LOGIN takes the beginning of the password."""

    def login(self, username, password):
        known = self.RA.get(username, b"")
        return super().login(username, known if known.startswith(password) else password)


@SHOULD
class LoginWithMore(Mail):
    """LOGIN takes the password with more behind it."""

    def login(self, username, password):
        known = self.RA.get(username, b"?")
        return super().login(username, known if password.startswith(known) else password)


@SHOULD
class LoginInAnyCase(Mail):
    """The case of a password does not matter."""

    def login(self, username, password):
        known = self.RA.get(username, b"")
        return super().login(username, known if known.lower() == password.lower() else password)


@SHOULD
class LoginWithEmptyPassword(Mail):
    """An empty password logs in."""

    def login(self, username, password):
        return super().login(username, password or self.RA.get(username, b""))

    def password_fits(self, password):
        return len(password) <= reference.PASSWORD_MAX


@SHOULD
class LoginWithAnybodysPassword(Mail):
    """Any registered password logs in."""

    def login(self, username, password):
        return super().login(username, self.RA.get(username, b"") if password in self.RA.values() else password)


@SHOULD
class LoginWithCookie(Mail):
    """A cookie is taken for a password."""

    def login(self, username, password):
        return super().login(username, self.RA.get(username, b"") if self.user_of(password) else password)


@SHOULD
class LoginMakesAccount(Mail):
    """LOGIN of an unknown user registers them."""

    def login(self, username, password):
        return super().login(username, password) if username in self.RA else super().register(username, password)


@SHOULD
class LoginFailureEndsSession(Mail):
    """A failed LOGIN ends the user's session."""

    def login(self, username, password):
        self.end_session(username)
        return super().login(username, password)


@MUST
class LoginEmptiesMailbox(Mail):
    """LOGIN makes the mailbox anew, just as REGISTER does."""

    def login(self, username, password):
        reply = super().login(username, password)
        if reply != KO:
            self.MBX[username] = []
        return reply


@MUST
class LoginEndsAllSessions(Mail):
    """There is one session at a time."""

    def new_session(self, username):
        for user in list(self.ID):
            self.end_session(user)
        return super().new_session(username)


@CHOICE
class LoginSaysWhyPassword(Mail):
    """A wrong password is answered with words."""

    def login(self, username, password):
        reply = super().login(username, password)
        return b"KO wrong password" if reply == KO and username in self.RA else reply


@CHOICE
class LoginSaysWhyUser(Mail):
    """An unknown user is answered with words."""

    def login(self, username, password):
        return super().login(username, password) if username in self.RA else b"KO no such user"

# ---- LOGOUT


@MUST
class LogoutDoesNothing(Mail):
    """LOGOUT is answered OK, and the cookie lives."""

    def logout(self, user):
        return OK


@MUST
class LogoutForgetsAccount(Mail):
    """LOGOUT removes the account."""

    def logout(self, user):
        del self.RA[user]
        return super().logout(user)


@MUST
class LogoutEmptiesMailbox(Mail):
    """LOGOUT empties the mailbox."""

    def logout(self, user):
        self.MBX[user].clear()
        return super().logout(user)


@MUST
class LogoutEmptiesImq(Mail):
    """LOGOUT takes the user's messages off the IMQ."""

    def logout(self, user):
        self.IMQ = [entry for entry in self.IMQ if entry[0] != user]
        return super().logout(user)


@MUST
class LogoutEndsAll(Mail):
    """LOGOUT ends everybody's session."""

    def logout(self, user):
        for name in list(self.ID):
            self.end_session(name)
        return OK


class LogoutHow(Mail):
    """Another way to find the session to end."""

    def answer(self, line):
        words = (line or b"").split(b" ")
        return self.end(line[7:], words) if words[0] == b"LOGOUT" and len(words) > 1 else super().answer(line)


@MUST
class LogoutAlwaysOk(LogoutHow):
    """LOGOUT of an unknown cookie is answered OK."""

    def end(self, rest, words):
        user = self.user_of(rest)
        return self.logout(user) if user else OK


@MUST
class LogoutUnknownEndsLast(LogoutHow):
    """LOGOUT of an unknown cookie ends the last session."""

    def end(self, rest, words):
        user = self.user_of(rest)
        if user is None and self.ID:
            self.end_session(list(self.ID)[-1])
        return self.logout(user) if user else KO


@MUST
class LogoutByBeginning(LogoutHow):
    """LOGOUT takes the beginning of a cookie."""

    def end(self, rest, words):
        user = next((user for user, cookie in self.ID.items() if rest and cookie.startswith(rest)), None)
        return self.logout(user) if user else KO


@MUST
class LogoutByFirstWord(LogoutHow):
    """LOGOUT looks at the first word only, not at the rest of the string."""

    def end(self, rest, words):
        user = self.user_of(words[1])
        return self.logout(user) if user else KO


@MUST
class LogoutByName(LogoutHow):
    """LOGOUT takes a username for a cookie."""

    def end(self, rest, words):
        user = rest if rest in self.ID else self.user_of(rest)
        return self.logout(user) if user else KO


@CHOICE
class LogoutIsSilent(Mail):
    """LOGOUT is not answered, for the document names no answer."""

    def logout(self, user):
        super().logout(user)


@CHOICE
class LogoutOfNothingAsksToLogIn(Mail):
    """LOGOUT without a cookie is answered that one should log in."""

    def answer(self, line):
        return LOG_IN if line in (b"LOGOUT", b"LOGOUT ") else super().answer(line)


@MUST
class LogoutLeavesEmptyCookie(AnyShape):
    """After LOGOUT the user's cookie is the empty one."""

    def logout(self, user):
        super().logout(user)
        self.ID[user] = b""
        self.AC.append(b"")
        return OK


@MUST
class LogoutLeavesNone(AnyShape):
    """After LOGOUT the user's cookie is the word None."""

    def logout(self, user):
        super().logout(user)
        self.ID[user] = b"None"
        self.AC.append(b"None")
        return OK


@MUST
class NoMailForTheAbsent(Mail):
    """STORE for a user who is logged out is refused."""

    def store(self, user, recipient):
        return super().store(user, recipient) if recipient in self.ID else KO

# ---- sessions


class Bound(Mail):
    """Knows on which connection it is asked."""

    def here(self):
        return threading.get_ident()


@MUST
class SessionBoundToConnection(Bound):
    """A cookie works only on the connection that got it."""

    def new_session(self, username):
        self.places = getattr(self, "places", {})
        cookie = super().new_session(username)
        self.places[cookie] = self.here()
        return cookie

    def user_of(self, cookie):
        return super().user_of(cookie) if getattr(self, "places", {}).get(cookie) == self.here() else None


@MUST
class OneSessionAConnection(Bound):
    """A connection's new session ends the one that it had."""

    def new_session(self, username):
        self.users = getattr(self, "users", {})
        self.end_session(self.users.get(self.here(), username))
        self.users[self.here()] = username
        return super().new_session(username)


@CHOICE
class CookieInAnyCase(Mail):
    """The case of a cookie does not matter."""

    def user_of(self, cookie):
        return super().user_of(cookie.lower())


@MUST
class CookieByBeginning(Mail):
    """The beginning of a cookie will do."""

    def user_of(self, cookie):
        return next((user for user, known in self.ID.items() if cookie and known.startswith(cookie)), None)


@MUST
class CookieWithMore(Mail):
    """A cookie with more behind it will do."""

    def user_of(self, cookie):
        return next((user for user, known in self.ID.items() if cookie.startswith(known)), None)


@MUST
class CookieOrName(Mail):
    """A username or a password will do for a cookie."""

    def user_of(self, cookie):
        names = {password: user for user, password in self.RA.items()}
        names.update((user, user) for user in self.RA)
        return super().user_of(cookie) or names.get(cookie)


@MUST
class AnyCookieAtFirst(Mail):
    """While nobody is registered any cookie will do."""

    def user_of(self, cookie):
        return super().user_of(cookie) if self.RA else b"nobody"


@CHOICE
class MissingCookieIsKo(Mail):
    """A missing cookie is a wrong number of parts."""

    def answer(self, line):
        words = (line or b"").split(b" ")
        return KO if len(words) == 2 and words[0] in self.commands else super().answer(line)


@CHOICE
class EmptyCookieIsKo(Mail):
    """An empty cookie is a wrong number of parts."""

    def answer(self, line):
        return KO if line and line.endswith(b" ") and not line.startswith(b"DUMP") else super().answer(line)
