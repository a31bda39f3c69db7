#!/usr/bin/perl
# SPDX-License-Identifier: ISC
# mail.pl HOST PORT [SWITCH...]: a small mail server as a student writes one in Perl, with replies in words of its own.
# It serves many clients from one loop; cookies are counted up.
# Faults: nologout countall getempty loginempties storeall
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;

my ($host, $port, @switches) = @ARGV;
my %on = map { $_ => 1 } @switches;
my (%password, %mailbox, %cookie_of, @queue, %pending);
my $serial = 100000 + int rand 100000;

sub user_of {
    my ($cookie) = @_;
    return undef unless defined $cookie;
    for my $user (keys %cookie_of) {
        return $user if $cookie_of{$user} eq $cookie;
    }
    return undef;
}

sub session {
    my ($user) = @_;
    $cookie_of{$user} = ++$serial;
    return "Success, your cookie is $cookie_of{$user}";
}

sub store {
    my ($user) = @_;
    return "No such user" unless exists $mailbox{$user};
    return "Nothing to store" unless @queue;
    push @{$mailbox{$user}}, $on{storeall} ? splice(@queue) : pop @queue;
    return "Stored";
}

sub mailbox {
    my ($verb, $user) = @_;
    return $verb eq "GETMSG" && $on{getempty} ? "" : "No such user" unless exists $mailbox{$user};
    my $messages = $mailbox{$user};
    return "You have " . (@$messages + ($on{countall} ? @queue : 0)) . " messages" if $verb eq "COUNT";
    return "Mailbox is empty" unless @$messages;
    return $messages->[0] if $verb eq "GETMSG";
    shift @$messages;
    return "Deleted";
}

sub answer {
    my ($line) = @_;
    my ($verb, $rest) = split / /, $line, 2;
    $verb = "" unless defined $verb;
    $rest = "" unless defined $rest;
    if ($verb eq "REGISTER") {
        my ($user, $password) = split / /, $rest;
        return "Bad request" unless defined $password;
        return "User exists" if exists $password{$user};
        $password{$user} = $password;
        $mailbox{$user} = [];
        return session($user);
    }
    if ($verb eq "LOGIN") {
        my ($user, $password) = split / /, $rest;
        return "Wrong password" unless defined $password && exists $password{$user} && $password{$user} eq $password;
        $mailbox{$user} = [] if $on{loginempties};
        return session($user);
    }
    if ($verb eq "LOGOUT" && !$on{nologout}) {
        my $user = user_of($rest);
        return "Unknown cookie" unless defined $user;
        delete $cookie_of{$user};
        return "Bye";
    }
    if ($verb eq "MESSAGE") {
        return "Bad request" unless $rest =~ /\A(.*) (\S*)\z/s;
        return "Please log in" unless defined user_of($2);
        push @queue, $1;
        return "Queued";
    }
    if ($verb =~ /\A(?:STORE|COUNT|GETMSG|DELMSG)\z/) {
        my ($user, $cookie) = split / /, $rest;
        return "Please log in" unless defined user_of($cookie);
        return $verb eq "STORE" ? store($user) : mailbox($verb, $user);
    }
    if ($verb eq "DUMP") {
        print "IMQ: @queue\n", map { "MBX $_: @{$mailbox{$_}}\n" } sort keys %mailbox;
        return "OK";
    }
    return "Unknown command";
}

$| = 1;
$SIG{PIPE} = "IGNORE";
my $listener = IO::Socket::INET->new(LocalAddr => $host, LocalPort => $port, Listen => 50, ReuseAddr => 1)
    or die "cannot listen: $!";
my $select = IO::Select->new($listener);
while (my @ready = $select->can_read) {
    for my $client (@ready) {
        if ($client == $listener) {
            $select->add(scalar $listener->accept);
            next;
        }
        if (!sysread $client, my $data, 65536) {
            $select->remove($client);
            delete $pending{$client};
            close $client;
        } else {
            $pending{$client} .= $data;
            while ($pending{$client} =~ s/\A(.*?)\r?\n//s) {
                syswrite $client, answer($1) . "\n";
            }
        }
    }
}
