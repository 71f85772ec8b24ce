-- A script for wrk that sends each line of a file as a body, in order, and counts the responses by status. After the last line it
-- starts again at the first.
-- Arguments: the file, then header lines.

local head, file, bodies
local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  local headers = {}
  for i = 2, #args do
    headers[#headers + 1] = args[i] .. "\r\n"
  end
  head = string.format(
    "POST %s HTTP/1.1\r\nHost: %s:%s\r\n%sContent-Length: ", wrk.path, wrk.host, wrk.port, table.concat(headers))
  file = args[1]
  bodies = io.lines(file)
  statuses = {}
end

function request()
  local body = bodies()
  if not body then
    bodies = io.lines(file)
    body = bodies()
  end
  return head .. #body .. "\r\n\r\n" .. body
end

function response(status)
  statuses[status] = (statuses[status] or 0) + 1
end

function done(summary, latency)
  local parts = {}
  for _, thread in ipairs(threads) do
    for status, count in pairs(thread:get("statuses")) do
      parts[#parts + 1] = string.format('"%s":%d', status, count)
    end
  end
  local errors = summary.errors
  io.write(string.format(
    '\n{"seconds":%f,"p50":%f,"p99":%f,"lost":%d,"answers":{%s}}\n',
    summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.timeout, table.concat(parts, ",")))
end
