-- Replays a list of requests with wrk:
--
--   wrk … -s replay.lua URL -- FILE
--
-- FILE has one request a line: METHOD PATH, then the JSON body after another space if there is one.
-- A token may precede the METHOD. Every thread builds all requests beforehand and starts at a place
-- of its own, so that a request costs the client one table lookup. At the end it prints one line of
-- JSON with what was measured (times in µs).

local requests, at = {}, 0

function init(args)
  for line in io.lines(args[1]) do
    local token, rest = line:match("^(eyJ%S+) (.*)$")
    local method, path, body = (rest or line):match("^(%u+) (%S+) ?(.*)$")
    local headers = { ["Host"] = "bench", ["Authorization"] = token and "Bearer " .. token }
    if body ~= "" then headers["Content-Type"] = "application/json" else body = nil end
    requests[#requests + 1] = wrk.format(method, path, headers, body)
  end
  math.randomseed(os.time() + tonumber(tostring({}):match("0x(%x+)"), 16) % 1000003)
  at = math.random(#requests)
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '{"requests":%d,"duration_us":%d,"p50_us":%d,"p99_us":%d,"non_2xx":%d,"connection_errors":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.status, e.connect + e.read + e.write + e.timeout))
end
