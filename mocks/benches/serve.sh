#!/usr/bin/env bash
# Compares the throughput of `fallproof serve`, aimock, and nginx with a static reply. The request
# is a valid chat of 1 kB with a tool, sent over 16 connections. Also compares the latency of the
# reference router with the latency of nginx as a proxy. A run measures all servers in turn, several
# times.
#
#     mocks/benches/serve.sh [PROGRAM]    default: target/release/fallproof, which is built first
#
# The script needs wrk, nginx, curl, Node.js and the network (npx downloads aimock). Ports 18101 to
# 18107 must be free. ROUNDS and SECONDS_EACH set the number and length of the measurements.
set -euo pipefail
cd "$(dirname "$0")/../.."

ROUNDS=${ROUNDS:-3}
SECONDS_EACH=${SECONDS_EACH:-5}
AIMOCK=@copilotkit/aimock@1.43.0

program=${1:-}
if [ -z "$program" ]; then
    cargo build --release --quiet --bin fallproof
    program=target/release/fallproof
fi
work=$(mktemp -d)
started=()
finish() {
    # Kill process groups, since npx would leave its child running.
    for pid in "${started[@]}"; do kill -- "-$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT

# ---- the request

cat >"$work/chat.json" <<'JSON'
{"model":"gpt-5","messages":[{"role":"system","content":"You are a weather service. Answer in one sentence, in the language of the question, and ask the tool before you answer; never guess a temperature, and never repeat the question. If the tool has no answer, say so and name the nearest city that it knows."},{"role":"user","content":"What will the weather be like in Berlin tomorrow afternoon, and shall I take an umbrella with me on the way to the office?"}],"tools":[{"type":"function","function":{"name":"get_weather","description":"The forecast for a city, hour by hour","parameters":{"type":"object","properties":{"city":{"type":"string","description":"The city and the country"},"day":{"type":"string","enum":["today","tomorrow"]},"unit":{"type":"string","enum":["celsius","fahrenheit"]}},"required":["city","day"],"additionalProperties":false}}}],"tool_choice":"auto","temperature":1,"max_completion_tokens":256,"metadata":{"suite":"serve","case":"weather"},"store":true,"user":"user-0001"}
JSON
printf %s "$(cat "$work/chat.json")" >"$work/body" # without the final line break
cat >"$work/chat.lua" <<LUA
local file = assert(io.open("$work/body", "rb"))
wrk.method, wrk.body = "POST", file:read("*a")
file:close()
wrk.headers["content-type"] = "application/json"
wrk.headers["authorization"] = "Bearer sk-fallproof-openai"
done = function(summary, latency)
    local errors = summary.errors
    local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
    io.write(string.format("result %.0f %.1f %.1f %d\n", summary.requests / summary.duration * 1e6,
        latency.mean, latency:percentile(50), failed))
end
LUA

ask() { # url
    curl -sf --max-time 5 -H 'content-type: application/json' \
        -H 'authorization: Bearer sk-fallproof-openai' --data-binary "@$work/body" "$1"
}
await() { # url
    for _ in $(seq 200); do
        if ask "$1" >/dev/null 2>&1; then return; fi
        sleep 0.1
    done
    echo "no response from $1" >&2
    tail -n 5 "$work"/*.log >&2
    exit 1
}

# ---- the servers

setsid "$program" serve --openai 18101 --azure 18102 --admin 18103 >"$work/serve.log" 2>&1 &
started+=($!)
await http://127.0.0.1:18101/v1/chat/completions
ask http://127.0.0.1:18101/v1/chat/completions >"$work/reply"

printf '{"fixtures":[{"match":{"userMessage":"What will the weather"},"response":{"content":"%s"}}]}' \
    "Rain in the afternoon: take it with you." >"$work/fixture.json"
setsid npx -y -p "$AIMOCK" llmock -p 18104 -f "$work/fixture.json" --log-level silent >"$work/aimock.log" 2>&1 &
started+=($!)

cat >"$work/nginx.conf" <<NGINX
worker_processes auto;
pid $work/nginx.pid;
error_log $work/nginx.log;
daemon off;
events { worker_connections 1024; }
http {
    access_log off;
    client_body_buffer_size 64k;
    client_body_temp_path $work/body_temp;
    proxy_temp_path $work/proxy_temp;
    fastcgi_temp_path $work/fastcgi_temp;
    uwsgi_temp_path $work/uwsgi_temp;
    scgi_temp_path $work/scgi_temp;
    keepalive_requests 100000000;
    server {
        listen 127.0.0.1:18105;
        location / {
            default_type application/json;
            return 200 '$(sed "s/'/\\\\'/g" "$work/reply")';
        }
    }
    server {
        listen 127.0.0.1:18106;
        location / { proxy_pass http://127.0.0.1:18105; }
    }
}
NGINX
setsid nginx -c "$work/nginx.conf" &
started+=($!)

cat >"$work/router.yaml" <<YAML
groups: { gpt-5: { chain: [primary] } }
deployments:
  primary:
    { provider: openai, base_url: "http://127.0.0.1:18105/v1", model: gpt-5, key: sk-fallproof-openai }
YAML
setsid "$program" router --config "$work/router.yaml" --listen 127.0.0.1:18107 >"$work/router.log" 2>&1 &
started+=($!)
for port in 18104 18105 18106 18107; do await "http://127.0.0.1:$port/v1/chat/completions"; done

# ---- the measurements

# Prints requests per second, mean and median latency in microseconds, and failed requests.
load() { # port, connections
    wrk --threads 1 --connections "$2" --duration "${SECONDS_EACH}s" --script "$work/chat.lua" \
        "http://127.0.0.1:$1/v1/chat/completions" | sed -n 's/^result //p'
}
median() { # file, column
    cut -d' ' -f"$2" "$1" | sort -n | sed -n "$((ROUNDS / 2 + 1))p"
}
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }

for port in 18101 18104 18105; do load "$port" 16 >/dev/null; done
for _ in $(seq "$ROUNDS"); do
    load 18101 16 >>"$work/serve"
    load 18104 16 >>"$work/aimock"
    load 18105 16 >>"$work/static"
    load 18107 1 >>"$work/router"
    load 18106 1 >>"$work/proxy"
done
for name in serve aimock static router proxy; do
    failed=$(awk '{ sum += $4 } END { print sum }' "$work/$name")
    if [ "$failed" != 0 ]; then echo "$name: $failed requests failed" >&2; fi
done

serve=$(median "$work/serve" 1) aimock=$(median "$work/aimock" 1) static=$(median "$work/static" 1)
router=$(median "$work/router" 2) proxy=$(median "$work/proxy" 2)
cat <<RESULT
request $(wc -c <"$work/body") bytes, reply $(wc -c <"$work/reply") bytes, median of $ROUNDS rounds of $SECONDS_EACH s

requests per second, 16 connections
  fallproof serve   $serve
  aimock            $aimock   serve is N times as fast (minimum 2.5, goal 3)
  nginx, static     $static   serve reaches N of this rate (minimum 0.25)

mean latency in microseconds, 1 connection
  fallproof router  $router
  nginx, proxy      $proxy   the router takes N times as long (maximum 1.2)
RESULT
