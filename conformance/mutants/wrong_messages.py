# SPDX-License-Identifier: ISC
"""Wrong in MESSAGE."""
from base import CHOICE, KO, LOG_IN, MUST, OK, SHOULD, Mail, Unknown


class OtherContent(Mail):
    """Changes a content on its way."""

    def message(self, user, content):
        return super().message(user, self.changed(content))


@CHOICE
class MessageEndsAtFirstSpace(Mail):
    """The content is the second word, the cookie the third."""

    def split(self, verb, rest):
        return rest.split(b" ")[:2] if verb == b"MESSAGE" else super().split(verb, rest)


@CHOICE
class MessageStripped(OtherContent):
    """Spaces at the ends of a content are dropped."""

    def changed(self, content):
        return content.strip(b" ")


@CHOICE
class MessageSpacesJoined(OtherContent):
    """Several spaces become one."""

    def changed(self, content):
        return b" ".join(content.split()) or content


@CHOICE
class MessageFindsCookie(Mail):
    """The first word that is a cookie ends the content."""

    def split(self, verb, rest):
        words = rest.split(b" ")
        if verb == b"MESSAGE":
            for place, word in enumerate(words):
                if place and self.user_of(word):
                    return [b" ".join(words[:place]), word]
        return super().split(verb, rest)


@MUST
class MessageIntoMailbox(Mail):
    """MESSAGE puts the content into the sender's own mailbox too."""

    def message(self, user, content):
        self.MBX[user].append(content)
        return super().message(user, content)


@MUST
class MessageOnlyOnce(Mail):
    """A text that is on the IMQ already is not put there again."""

    def message(self, user, content):
        return OK if any(text == content for _, text in self.IMQ) else super().message(user, content)


@MUST
class MessageUnknownCookieIsKo(Unknown):
    """MESSAGE with an unknown cookie is answered KO."""


@MUST
class MessageUnknownCookieInOtherWords(Unknown):
    """MESSAGE with an unknown cookie is answered in other words."""

    reply = b"You should log in first"


@SHOULD
class MessageQueuedAnyway(Mail):
    """MESSAGE with an unknown cookie is refused in words, and queued all the same."""

    def answer(self, line):
        reply = super().answer(line)
        if reply == LOG_IN and line.startswith(b"MESSAGE "):
            self.IMQ.append((b"", line.split(b" ")[1]))
        return reply


@SHOULD
class MessageInAscii(OtherContent):
    """What is not ASCII becomes a question mark."""

    def changed(self, content):
        return content.decode().encode("ascii", "replace")


@SHOULD
class MessageInTwoBytes(OtherContent):
    """Characters beyond U+FFFF get lost."""

    def changed(self, content):
        return "".join(char for char in content.decode() if ord(char) < 0x10000).encode()


@SHOULD
class MessageEscaped(OtherContent):
    """A content is escaped for HTML."""

    def changed(self, content):
        return content.replace(b"&", b"&amp;").replace(b"<", b"&lt;")


@SHOULD
class MessageFormatted(OtherContent):
    """A content is a format: %% becomes %."""

    def changed(self, content):
        return content.replace(b"%%", b"%")


@SHOULD
class MessageUnescaped(OtherContent):
    """Backslashes in a content mean something."""

    def changed(self, content):
        return content.replace(b"\\n", b" ").replace(b"\\\\", b"\\")


@SHOULD
class MessageCarriedOut(Mail):
    """A content that is LOGOUT is carried out."""

    def message(self, user, content):
        return self.logout(user) if content == b"LOGOUT" else super().message(user, content)


@SHOULD
class MessageMustNotBeReply(Mail):
    """A content that looks like a reply is refused."""

    def message(self, user, content):
        return KO if content in (OK, KO) else super().message(user, content)


@MUST
class MessageMustNotBeCookie(Mail):
    """A content that is a cookie is refused."""

    def message(self, user, content):
        return LOG_IN if self.user_of(content) else super().message(user, content)


@SHOULD
class MessageLosesByteAtBlock(OtherContent):
    """A content that fills its block loses its last byte."""

    def changed(self, content):
        return content[:-1] if len(content) == 50 else content


@CHOICE
class MessageMayBeEmpty(Mail):
    """An empty content is accepted."""

    def message(self, user, content):
        self.IMQ.append((user, content))
        return OK


class ContentLength(Mail):
    """Another length of a content."""

    most = 4096

    def message(self, user, content):
        return super().message(user, content) if self.length(content) <= self.most else KO

    def length(self, content):
        return len(content)


@CHOICE
class MessageShorter(ContentLength):
    """A content has at most 4,095 bytes."""

    most = 4095


@CHOICE
class MessageLonger(Mail):
    """A content may be as long as a request allows."""

    def message(self, user, content):
        self.IMQ.append((user, content))
        return OK if content else KO


@CHOICE
class MessageCountedTwice(ContentLength):
    """A character beyond ASCII counts as four bytes."""

    def length(self, content):
        return sum(1 if ord(char) < 128 else 4 for char in content.decode())


@CHOICE
class NoShare(Mail):
    """One sender may fill the IMQ alone."""

    def room_for(self, user, content):
        return self.messages < self.options.max_messages and super().room_for(b"", content)


@CHOICE
class ShareRoundedDown(Mail):
    """A sender's share is rounded down."""

    def room_for(self, user, content):
        share = self.options.max_messages // 4
        return sum(sender == user for sender, _ in self.IMQ) < share and super().room_for(user, content)


@CHOICE
class MessagesUnlimited(Mail):
    """There is always room for one more message."""

    def room_for(self, user, content):
        return True


@CHOICE
class MessagesNeverFreed(Mail):
    """A removed message still counts."""

    def delmsg(self, user, owner):
        kept = self.messages
        reply = super().delmsg(user, owner)
        self.messages = kept
        return reply


@CHOICE
class TextNeverFreed(Mail):
    """The text of a removed message still takes memory."""

    def delmsg(self, user, owner):
        kept = self.blocks
        reply = super().delmsg(user, owner)
        self.blocks = kept
        return reply


@MUST
class OnlyFiftyMessages(Mail):
    """The fifty-first message is answered OK and lost."""

    def message(self, user, content):
        self.taken = getattr(self, "taken", {})
        self.taken[user] = self.taken.get(user, 0) + 1
        return super().message(user, content) if self.taken[user] <= 50 else OK
