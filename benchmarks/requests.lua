-- Sends the requests of the file named by REQUESTS, one JSON-free line each: METHOD<TAB>PATH<TAB>BODY, in turn.
local lines, at = {}, 0
for line in io.lines(os.getenv("REQUESTS")) do lines[#lines + 1] = line end
math.randomseed(os.time())
at = math.random(#lines)
local headers = {
  ["Authorization"] = "Bearer " .. (os.getenv("TOKEN") or ""),
  ["Content-Type"] = "application/fhir+json",
}
function request()
  at = at % #lines + 1
  local method, path, body = lines[at]:match("^(%u+)\t([^\t]*)\t?(.*)$")
  return wrk.format(method, path, headers, body ~= "" and body or nil)
end
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("RESULT %d %d %d %.3f %.3f %.3f\n", summary.requests, summary.duration,
    e.status + e.connect + e.read + e.write + e.timeout,
    latency:percentile(50) / 1000, latency:percentile(95) / 1000, latency:percentile(99) / 1000))
end
