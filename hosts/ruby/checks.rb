# The six checks of docs/hosts/index.md, in Ruby, in threads.
require "timeout"
require_relative "pyagent"

STALLS = { text: "a b c d", after: 2, end: "stall" }.freeze
MODEL = PyAgent::Client.new(provider: "compatible", base_url: ENV.fetch("PYAGENT_SERVER"))
$stdout.sync = true

def must(holds, what)
  abort "broken: #{what}" unless holds
end

def equal(wanted, found)
  must(wanted == found, "wanted #{wanted.inspect}, found #{found.inspect}")
end

def ask(content, script)
  messages = [{ role: "user", content: content }]
  { model: "m", max_retries: 0, messages: messages, extra_body: { fake: script } }
end

def texts(stream)
  events = stream.to_a
  equal(:finish, events.last.kind)
  equal([], stream.to_a)
  events.select { |event| event.kind == :text }.map(&:data)
end

def failure
  yield
  abort "broken: nothing was raised"
rescue PyAgent::Error => error
  error
end

def gone(name)
  puts "gone? #{name}"
  equal("yes", $stdin.gets.chomp)
end

def check_stream
  text = "one two three ünï 🌍"
  PyAgent::Client.open(provider: "echo") do |echo|
    deltas = texts(echo.stream(**ask(text, {})))
    must(deltas.size > 1, "there is more than one delta")
    equal(text, deltas.join)
    one_by_one = echo.stream(**ask("a b", {})).each # without a block: an Enumerator
    equal(%i[start text text], Array.new(3) { one_by_one.next.kind })
    equal(["a", " b"], echo.stream(**ask("a b c", {})).lazy.select { |event| event.kind == :text }.map(&:data).first(2))
  end
  equal(["a\0b", "c"], texts(MODEL.stream(**ask("nul", { pieces: ["a\0b", "c"] }))))
  large = MODEL.stream(**ask("large", { pieces: ["x" * 1000], repeat: 2000 }))
  equal(2_000_000, large.sum { |event| event.kind == :text ? event.data.size : 0 })

  # Frames that no delta can be cut from, and are larger than the buffer, come whole; so do vectors.
  raw = MODEL.stream(**ask("raw", { pieces: ["x" * 200_000] }), include_raw: true).select { |event| event.kind == :raw }
  must(raw.any? { |event| JSON.generate(event.data).size > 200_000 }, "the frame is whole")
  vectors = PyAgent::Client.open(provider: "echo") do |echo|
    echo.stream(op: "embed", model: "m", input: %w[a b], dimensions: 3).select { |event| event.kind == :vector }
  end
  equal([3, 3], vectors.map { |event| event.data.size })
  must(vectors.all? { |event| event.data.all?(Float) && event.data.any? { |number| number != 0 } }, "they are numbers")
end

def check_tools
  parameters = { type: "object", properties: { city: { type: "string" } } }
  tool = { type: "function", function: { name: "get_weather", parameters: parameters } }
  script = { tools: [{ name: "get_weather", arguments: { city: "Oslo" } }], tool_piece: 3 }
  request = { **ask("tools", script), tools: [tool] }
  call = MODEL.stream(**request).find { |event| event.kind == :tool_end }.data
  equal(["call_1", "get_weather", { "city" => "Oslo" }], [call[:id], call[:name], JSON.parse(call[:arguments])])

  said = { id: call[:id], type: "function", function: call.slice(:name, :arguments) }
  messages = request[:messages] + [
    { role: "assistant", tool_calls: [said] },
    { role: "tool", tool_call_id: call[:id], content: "7 degrees" }
  ]
  answer = { **request, messages: messages, extra_body: { fake: { text: "It is 7 degrees." } } }
  equal("It is 7 degrees.", texts(MODEL.stream(**answer)).join)
end

def check_error
  limited = { status: 429, body: { error: { message: "Slow down." } } }
  error = failure { MODEL.stream(**ask("error", limited)) { nil } }
  equal(["rate_limit", 429, true], [error.kind, error.status, error.details[:is_retryable]])
  must(error.message.include?("Slow down."), error.message)
  error = failure { MODEL.stream(model: "m").to_a }
  equal(["configuration", nil], [error.kind, error.status])
  must(error.message.include?("messages"), error.message)

  begin # the block's own error is not taken for the stream's
    MODEL.stream(**ask("own", {})) { raise IOError, "disk full" }
  rescue IOError => error
    equal("disk full", error.message)
  end

  child = fork do
    MODEL.stream(**ask("never", {}))
  rescue RuntimeError => error
    exit!(error.message.include?("fork") ? 7 : 1)
  end
  equal(7, Process.wait2(child).last.exitstatus)
  equal(0, Process.wait2(fork { exit }).last.exitstatus) # whose finalizers leave the parent's handles alone
end

def check_cancel
  stream = MODEL.stream(**ask("cancel", STALLS))
  error = failure { stream.each { |event| Thread.new { stream.cancel } if event.kind == :text } }
  equal("cancelled", error.kind)
  gone("cancel")

  stream = MODEL.stream(**ask("closed", STALLS))
  error = failure { stream.each { |event| Thread.new { sleep 0.05; stream.close } if event.kind == :text } }
  equal(["cancelled", "the stream was closed"], [error.kind, error.message])

  begin # what waits is waiting for an IO: Timeout, Thread#kill and Ctrl-C reach it
    Timeout.timeout(0.2) { MODEL.stream(**ask("timeout", STALLS)) { nil } }
    must(false, "the time was out")
  rescue Timeout::Error
    gone("timeout")
  end
  reader = Thread.new { MODEL.stream(**ask("killed", STALLS)) { |event| Thread.current[:text] = true if event.kind == :text } }
  sleep 0.01 until reader[:text]
  reader.kill.join
  gone("killed")
end

def check_many
  ticks = 0
  ticker = Thread.new { loop { sleep 0.01; ticks += 1 } }
  threads = Array.new(100) { |i| Thread.new { texts(MODEL.stream(**ask("many #{i}", { header_delay: 1 }))).join } }
  equal(Array.new(100) { |i| "many #{i}" }, threads.map(&:value))
  ticker.kill
  must(ticks >= 5, "in the second that the server waited, another thread went on #{ticks} times, not 100")
end

def handles = PyAgent.inspect_library[:handles]

def forget
  MODEL.stream(**ask("forgotten", STALLS))
  PyAgent::Client.new
  nil
end

def check_handles
  MODEL.stream(**ask("left", STALLS)) { |event| break if event.kind == :text }
  gone("left")
  only_model = { clients: 1, inboxes: 0, calls: 0, working: 0 }
  Array.new(20) { Thread.new { forget } }.each(&:join) # on stacks that are gone
  500.times do
    GC.start # streams and clients that nobody closed, and nobody has
    handles == only_model ? break : sleep(0.01)
  end
  equal(only_model, handles)
  2.times { MODEL.close }
  equal({ clients: 0, inboxes: 0, calls: 0, working: 0 }, handles)
  must(failure { MODEL.stream(model: "m") }.message.include?("closed"), "a closed client starts nothing")
end

%w[stream tools error cancel many handles].each do |name|
  (name == "many" ? ENV.fetch("PYAGENT_TIMES").to_i : 1).times do
    send("check_#{name}")
    puts "ok #{name}"
  end
end
