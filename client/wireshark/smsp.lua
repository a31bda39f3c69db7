-- SPDX-License-Identifier: ISC
-- A Wireshark dissector for the Simple Mail Server Protocol (engine/PROTOCOL.md).
-- Needs Wireshark 3.4 or later. ../README.md says how to install it.

local smsp = Proto("smsp", "Simple Mail Server Protocol")

smsp.prefs.port = Pref.uint("TCP port", 4711, "The server's port; for other ports use Decode As")
smsp.prefs.show_passwords = Pref.bool("Show passwords", false,
    "Show passwords in the packet list and the tree. The bytes of the packet always contain them.")

local REQUEST_MAX, CONTENT_MAX, PASSWORD_MAX = 4137, 4096, 128 -- PROTOCOL.md, section 8
local LATER_SILENCE = 0.020                                    -- seconds, FRM-5
local LOG_IN = "You should log in first."

-- ---- Fields ----

local field = {
    verb = ProtoField.string("smsp.verb", "Verb"),
    username = ProtoField.string("smsp.username", "Username"),
    password = ProtoField.string("smsp.password", "Password"),
    content = ProtoField.string("smsp.content", "Content"),
    cookie = ProtoField.string("smsp.cookie", "Cookie"),
    code = ProtoField.string("smsp.code", "Reply code"),
    count = ProtoField.uint32("smsp.count", "Messages"),
    framing = ProtoField.string("smsp.framing", "Framing"),
    fragment = ProtoField.string("smsp.fragment", "Incomplete"),
    number = ProtoField.uint32("smsp.number", "Number on this connection"),
    reply_in = ProtoField.framenum("smsp.reply_in", "Reply in frame", base.NONE, frametype.RESPONSE),
    request_in = ProtoField.framenum("smsp.request_in", "Request in frame", base.NONE, frametype.REQUEST),
    time = ProtoField.relative_time("smsp.time", "Time since the request"),
    rule = ProtoField.string("smsp.rule", "Rule"),
}
smsp.fields = field

-- ---- Rules that traffic can break: the level of PROTOCOL.md, and what is wrong ----

local severity = { MUST = expert.severity.ERROR, SHOULD = expert.severity.WARN, CHOICE = expert.severity.NOTE }
local level = {
    ["FRM-3"] = "CHOICE", ["FRM-6"] = "CHOICE", ["FRM-7"] = "SHOULD", ["FRM-10"] = "SHOULD", ["FRM-12"] = "CHOICE",
    ["REQ-1"] = "CHOICE", ["REQ-2"] = "CHOICE", ["REQ-3"] = "CHOICE", ["REQ-4"] = "CHOICE", ["REQ-5"] = "CHOICE",
    ["REG-1"] = "MUST", ["REG-7"] = "CHOICE", ["REG-8"] = "CHOICE", ["LGI-1"] = "MUST", ["LGO-2"] = "CHOICE",
    ["LGO-3"] = "MUST", ["MSG-1"] = "MUST", ["MSG-4"] = "CHOICE", ["STO-1"] = "MUST", ["CNT-1"] = "MUST",
    ["DEL-1"] = "MUST", ["GET-1"] = "MUST", ["DMP-2"] = "MUST",
}
local expert_of = {}
for rule, its_level in pairs(level) do
    local name = "smsp.rule." .. rule:lower():gsub("-", "_")
    expert_of[rule] = ProtoExpert.new(name, rule, expert.group.PROTOCOL, severity[its_level])
end
local experts = {}
for _, info in pairs(expert_of) do
    experts[#experts + 1] = info
end
smsp.experts = experts

-- What each command has after its verb, its reply if it succeeds, the rule of that reply, and
-- whether an unknown cookie is answered "You should log in first.".
local commands = {
    REGISTER = { parts = "name password", reply = "OK <cookie>", rule = "REG-1" },
    LOGIN = { parts = "name password", reply = "OK <cookie>", rule = "LGI-1" },
    LOGOUT = { parts = "cookie", reply = "OK", rule = "LGO-2" },
    MESSAGE = { parts = "content cookie", reply = "OK", rule = "MSG-1", log_in = true },
    STORE = { parts = "name cookie", reply = "OK", rule = "STO-1", log_in = true },
    COUNT = { parts = "name cookie", reply = "COUNTED", rule = "CNT-1", log_in = true },
    DELMSG = { parts = "name cookie", reply = "OK", rule = "DEL-1", log_in = true },
    GETMSG = { parts = "name cookie", reply = "content", rule = "GET-1", log_in = true },
    DUMP = { parts = "none", reply = "OK", rule = "DMP-2", never_ko = true },
}

-- ---- Text ----

-- The length of the UTF-8 character at position i; nil if it is malformed (RFC 3629).
local function character_length(s, i)
    local first, second = s:byte(i, i + 1)
    if first < 0x80 then return 1 end
    local len = first >= 0xc2 and first <= 0xdf and 2 or first >= 0xe0 and first <= 0xef and 3 or
        first >= 0xf0 and first <= 0xf4 and 4
    if not len or #s < i + len - 1 then return nil end
    local least = first == 0xe0 and 0xa0 or first == 0xf0 and 0x90 or 0x80
    local most = first == 0xed and 0x9f or first == 0xf4 and 0x8f or 0xbf
    if second < least or second > most then return nil end
    for k = i + 2, i + len - 1 do
        local byte = s:byte(k)
        if byte < 0x80 or byte > 0xbf then return nil end
    end
    return len
end

-- The text with control characters and malformed bytes as \xHH; whether there were any.
local function visible(s)
    local out, i, bad = {}, 1, false
    while i <= #s do
        local len = character_length(s, i)
        local byte, second = s:byte(i, i + 1)
        if not len or byte < 0x20 or byte == 0x7f or (byte == 0xc2 and second < 0xa0) then
            out[#out + 1] = string.format("\\x%02x", byte)
            len, bad = 1, true
        else
            out[#out + 1] = s:sub(i, i + len - 1)
        end
        i = i + len
    end
    return table.concat(out), bad
end

local function is_name(s) return #s >= 1 and #s <= 32 and not s:find("[^%w]") end
local function is_cookie(s) return #s == 32 and not s:find("[^0-9a-f]") end

-- ---- Requests ----

-- The parts of a line, each {name, first position, text}, and the rules that it breaks,
-- each {rule, text}. Follows the order of the checks in REQ-6.
local function add_part(r, name, at, text)
    r.parts[#r.parts + 1] = { name, at, text }
    r[name] = text
end

local function break_rule(pdu, rule, text)
    pdu.broken[#pdu.broken + 1] = { rule, text }
end

-- Rules whose violation is answered KO, whatever the verb is.
local answered_ko = { ["FRM-6"] = true, ["FRM-7"] = true, ["REQ-1"] = true, ["REQ-2"] = true, ["REQ-3"] = true,
    ["REQ-4"] = true }

local function check_cookie(r)
    if r.cookie == nil then
        break_rule(r, "REQ-5", "the cookie is missing")
    elseif not is_cookie(r.cookie) then
        break_rule(r, "REQ-5", "the cookie is not 32 digits or letters a to f")
    end
end

local function parse_name_password(r, line, at)
    local name, password = line:match("^([^ ]*) ([^ ]*)$", at)
    if not name then
        return break_rule(r, "REQ-4", r.verb .. " needs a username and a password")
    end
    add_part(r, "username", at, name)
    add_part(r, "password", at + #name + 1, password)
    if not is_name(name) then
        break_rule(r, r.verb == "REGISTER" and "REG-7" or "REQ-5", "the username is not 1 to 32 letters and digits")
    end
    if #password < 1 or #password > PASSWORD_MAX then
        break_rule(r, "REG-8", "the password has " .. #password .. " bytes")
    end
end

local function parse_name_cookie(r, line, at)
    local name, cookie = line:match("^([^ ]*) ([^ ]*)$", at)
    name = name or line:match("^[^ ]*$", at)
    if not name then
        return break_rule(r, "REQ-4", r.verb .. " needs a username and a cookie")
    end
    add_part(r, "username", at, name)
    if cookie then add_part(r, "cookie", at + #name + 1, cookie) end
    check_cookie(r)
    if not is_name(name) then break_rule(r, "REQ-5", "the username is not 1 to 32 letters and digits") end
end

local function parse_content_cookie(r, line, at)
    local content, cookie = line:match("^(.*) ([^ ]*)$", at) -- the last space ends the content, MSG-3
    add_part(r, "content", at, content or line:sub(at))
    if cookie then add_part(r, "cookie", at + #content + 1, cookie) end
    check_cookie(r)
    if #r.content < 1 or #r.content > CONTENT_MAX then
        break_rule(r, "MSG-4", "the content has " .. #r.content .. " bytes")
    end
end

local function parse_parts(r, line)
    local parts, at = commands[r.verb].parts, #r.verb + 2
    if parts == "none" then return end
    if #line < at - 1 then
        break_rule(r, "REQ-4", r.verb .. " needs more parts")
    elseif parts == "name password" then
        parse_name_password(r, line, at)
    elseif parts == "name cookie" then
        parse_name_cookie(r, line, at)
    elseif parts == "content cookie" then
        parse_content_cookie(r, line, at)
    else
        add_part(r, "cookie", at, line:sub(at)) -- all of the rest
        if not is_cookie(r.cookie) then break_rule(r, "LGO-3", "the rest is not a cookie") end
    end
end

local function parse_request(r)
    local text, bad = visible(r.line)
    r.text = text
    if #r.line > REQUEST_MAX then
        break_rule(r, "FRM-7", "the request has " .. #r.line .. " bytes")
    elseif bad then
        local inner = r.framing == "none" and r.line:find("[%z\r\n]")
        break_rule(r, inner and "FRM-6" or "REQ-1", "control characters or malformed UTF-8")
    end
    if #r.line == 0 then
        return break_rule(r, "REQ-2", "the request is empty")
    end
    local verb = r.line:match("^[^ ]*")
    if not commands[verb] then
        return break_rule(r, "REQ-3", "unknown verb")
    end
    r.verb = verb
    add_part(r, "verb", 1, verb)
    parse_parts(r, r.line)
end

-- ---- Replies ----

local function code_of(reply, verb)
    local line = reply.line
    if line == "KO" or line == "OK" and verb ~= "GETMSG" then return line end
    if line == LOG_IN then return LOG_IN end
    if verb == "GETMSG" then return "content" end
    if line:match("^OK [^ ]+$") then return "OK <cookie>" end
    if line:match("^COUNTED %d+$") then return "COUNTED" end
    return nil
end

-- Whether a correct server may answer the command with the code.
local function is_allowed(command, code)
    if code == "KO" then return not command.never_ko end
    if code == LOG_IN then return command.log_in or false end
    return code == command.reply
end

local function parse_reply(reply, request)
    local verb = request and request.verb
    local command = commands[verb]
    local text, bad = visible(reply.line)
    reply.text, reply.code = text, code_of(reply, verb)
    if bad then break_rule(reply, "REQ-1", "control characters or malformed UTF-8 in a reply") end
    if reply.code == "OK <cookie>" then add_part(reply, "cookie", 4, reply.line:sub(4)) end
    if reply.code == "COUNTED" then add_part(reply, "count", 9, reply.line:sub(9)) end
    if reply.code == "content" then add_part(reply, "content", 1, reply.line) end
    if reply.count and (reply.count:find("^0.") or tonumber(reply.count) > 0xffffffff) then
        break_rule(reply, "CNT-1", "leading zeros, or a number over 32 bits")
    end
    if reply.framing == "CR LF" then break_rule(reply, "FRM-3", "the reply ends with CR LF instead of LF") end
    if not request then
        local first = reply.number == 1 and reply.line == "KO"
        break_rule(reply, first and "FRM-12" or "FRM-10",
            first and "the server rejects the client: too many clients" or "a reply without a request")
    elseif request.broken[1] and answered_ko[request.broken[1][1]] then
        if reply.code ~= "KO" then break_rule(reply, request.broken[1][1], "the reply to this request must be KO") end
    elseif not (reply.code and is_allowed(command, reply.code)) then
        break_rule(reply, command.rule, "not a reply to " .. verb)
    end
end

-- ---- Connections: which bytes are one request or reply, and which reply answers which request ----

local streams, frames = {}, {}
function smsp.init() streams, frames = {}, {} end

local function new_pdu(kind, state, line, framing)
    return { kind = kind, line = line, framing = framing, parts = {}, broken = {}, frame = state.frame, time = state.time }
end

local function add_request(s, line, framing)
    local r = new_pdu("request", s, line, framing)
    parse_request(r)
    s.requests[#s.requests + 1] = r
    r.number = #s.requests
    return r
end

local function add_reply(s, line, framing)
    local reply = new_pdu("reply", s, line, framing)
    s.replies = s.replies + 1
    reply.number = s.replies
    local request = s.requests[s.next]
    if request then
        s.next = s.next + 1
        request.reply, reply.request = reply, request
    end
    parse_reply(reply, request)
    return reply
end

-- Removes one terminator at the end of the bytes of an unterminated connection (FRM-6).
local function without_end(bytes)
    return (bytes:gsub("\r?\n$", "", 1):gsub("%z$", "", 1))
end

-- Cuts bytes at the terminator and calls add for each line; returns the incomplete rest.
local function cut(s, bytes, add, pdus)
    local terminator = s.ending == "NUL" and "%z" or "\n"
    local from = 1
    while true do
        local at = bytes:find(terminator, from)
        if not at then return bytes:sub(from) end
        local line, framing = bytes:sub(from, at - 1), s.ending or "LF"
        if framing == "LF" and line:sub(-1) == "\r" then
            line, framing = line:sub(1, -2), "CR LF"
        end
        pdus[#pdus + 1] = { pdu = add(s, line, framing), at = from }
        from = at + 1
    end
end

-- A request without terminator is complete if a reply follows, or silence on a connection that
-- has been unterminated before. If more bytes follow, it was only the beginning.
local function hold_unterminated(s, bytes, pdus)
    s.held = { bytes = bytes, time = s.time }
    if s.ending == "none" or #bytes >= 2 then -- one byte is never a request, FRM-4
        s.held.request = add_request(s, without_end(bytes), "none")
        pdus[#pdus + 1] = { pdu = s.held.request, at = 1 }
    end
end

local function take_requests(s, bytes)
    local pdus, held = {}, s.held
    local before = 0
    s.held = nil
    if held and not (s.ending == "none" and s.time - held.time >= LATER_SILENCE) then
        if held.request then
            held.request.incomplete = true
            s.requests[#s.requests] = nil
        end
        before, bytes = #held.bytes, held.bytes .. bytes
    end
    if not s.ending and bytes:find("[%z\n]") then
        s.ending = bytes:match("[%z\n]") == "\n" and "LF" or "NUL" -- FRM-1
    end
    if s.ending and s.ending ~= "none" then
        local rest = cut(s, bytes, add_request, pdus)
        if rest ~= "" then s.held = { bytes = rest, time = s.time } end
    else
        hold_unterminated(s, bytes, pdus)
    end
    return pdus, before, bytes, s.ending ~= "none" and s.ending ~= nil and s.held ~= nil
end

local function take_replies(s, bytes)
    local pdus = {}
    if s.held and s.held.request then -- the reply shows that the request was complete
        s.ending, s.held = "none", nil
    end
    if s.ending == "none" then
        pdus[1] = { pdu = add_reply(s, without_end(bytes), "none"), at = 1 }
        return pdus, 0, bytes, false
    end
    local before = #s.reply_bytes
    bytes = s.reply_bytes .. bytes
    s.reply_bytes = cut(s, bytes, add_reply, pdus)
    return pdus, before, bytes, s.reply_bytes ~= ""
end

-- ---- Display ----

local HIDDEN = "********"

-- The line for the packet list. Unless the preference shows passwords, everything that may be
-- one is hidden: in malformed requests all that follows the verb.
local function summary(pdu)
    local text = pdu.text
    if pdu.kind == "request" and not smsp.prefs.show_passwords then
        if pdu.password then
            text = visible(pdu.line:sub(1, #pdu.line - #pdu.password)) .. HIDDEN
        elseif not pdu.verb or commands[pdu.verb].parts == "name password" then
            local word = pdu.line:match("^[^%s]*")
            text = visible(word) .. (#word < #pdu.line and " " .. HIDDEN or "")
        end
    end
    return #text > 80 and text:sub(1, 77) .. "..." or text
end

local function show_parts(tree, pdu, range_of)
    for _, part in ipairs(pdu.parts) do
        local name, at, text = part[1], part[2], part[3]
        local range = range_of(at, #text)
        if name == "count" then
            tree:add(field.count, range, math.min(tonumber(text), 0xffffffff))
        else
            local hide = name == "password" and not smsp.prefs.show_passwords
            tree:add(field[name], range, hide and HIDDEN or (visible(text)))
        end
    end
end

local function show_relations(tree, pdu)
    tree:add(field.number, pdu.number):set_generated()
    if pdu.reply then tree:add(field.reply_in, pdu.reply.frame):set_generated() end
    if pdu.request then
        local time = pdu.time - pdu.request.time
        tree:add(field.request_in, pdu.request.frame):set_generated()
        tree:add(field.time, NSTime.new(math.floor(time), math.floor(time % 1 * 1e9 + 0.5))):set_generated()
    end
end

local function show_pdu(tree, pdu, tvb, at)
    local function range_of(position, len)
        return tvb(math.min(at - 1 + position - 1, tvb:len() - 1), math.min(len, tvb:len() - (at - 1 + position - 1)))
    end
    local item = tree:add(smsp, range_of(1, math.max(#pdu.line, 1)), (pdu.kind == "request" and "Request: " or "Reply: ") .. summary(pdu))
    if pdu.incomplete then
        item:add(field.fragment, "the request continues in a later frame"):set_generated()
        return
    end
    if pdu.code then item:add(field.code, range_of(1, #pdu.line), pdu.code) end
    show_parts(item, pdu, range_of)
    item:add(field.framing, pdu.framing):set_generated()
    show_relations(item, pdu)
    for _, broken in ipairs(pdu.broken) do
        local rule = item:add(field.rule, broken[1]):set_generated()
        rule:add_proto_expert_info(expert_of[broken[1]], broken[1] .. " (" .. level[broken[1]] .. "): " .. broken[2])
    end
end

-- ---- The dissector ----

-- The same for both directions. A tcp.stream field would be better, but fields are not available
-- when Wireshark loads a file.
local function connection_of(pinfo, from_client)
    local client = tostring(pinfo.src) .. " " .. pinfo.src_port
    local server = tostring(pinfo.dst) .. " " .. pinfo.dst_port
    return from_client and client .. " " .. server or server .. " " .. client
end

-- Called once for each frame, in order.
local function follow(tvb, pinfo, from_client)
    local id = connection_of(pinfo, from_client)
    local s = streams[id] or { requests = {}, replies = 0, next = 1, reply_bytes = "" }
    streams[id] = s
    s.frame, s.time = pinfo.number, pinfo.rel_ts
    local pdus, before, bytes, rest = (from_client and take_requests or take_replies)(s, tvb:raw())
    return { pdus = pdus, bytes = before > 0 and bytes or nil, rest = rest }
end

function smsp.dissector(tvb, pinfo, tree)
    local from_client = pinfo.dst_port == (pinfo.match_uint or smsp.prefs.port)
    pinfo.cols.protocol = "SMSP"
    if not pinfo.visited then frames[pinfo.number] = follow(tvb, pinfo, from_client) end
    local found = frames[pinfo.number]
    if not found then return 0 end
    local words = {}
    local whole = found.bytes and ByteArray.new(found.bytes, true):tvb("Reassembled") or tvb
    for _, one in ipairs(found.pdus) do
        words[#words + 1] = one.pdu.incomplete and "(part of a request)" or summary(one.pdu)
        show_pdu(tree, one.pdu, whole, one.at)
    end
    if found.rest or #found.pdus == 0 then
        words[#words + 1] = "(part of a " .. (from_client and "request)" or "reply)")
        tree:add(smsp, tvb()):add(field.fragment, "continues in a later frame"):set_generated()
    end
    pinfo.cols.info = (from_client and "Request: " or "Reply: ") .. table.concat(words, "; ")
    return tvb:len()
end

local registered
local function register_port()
    if registered then DissectorTable.get("tcp.port"):remove(registered, smsp) end
    registered = smsp.prefs.port
    DissectorTable.get("tcp.port"):add(registered, smsp)
end
smsp.prefs_changed = register_port
register_port()
