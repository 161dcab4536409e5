-- For wrk: each request posts one of the pictures that PICTURES names, in turn.
local bodies = {}
for path in os.getenv("PICTURES"):gmatch("%S+") do
  local file = assert(io.open(path, "rb"))
  bodies[#bodies + 1] = file:read("*a")
  file:close()
end

local next_body = 0

function request()
  next_body = next_body % #bodies + 1
  return wrk.format("POST", "/api/predict", { ["Content-Type"] = "image/png" }, bodies[next_body])
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("%.0f pictures/s, p50 %.1f ms, p99 %.1f ms, %d errors\n",
    summary.requests / summary.duration * 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
