# The program of docs/hosts/ruby.md: an answer of text, one with a tool call, and a refusal.
require_relative "pyagent"

def print_answer(client, **request)
  client.stream(**request) do |event|
    case event
    in { kind: :text, data: } then print data
    in { kind: :tool_end, data: { name:, arguments: } } then print "#{name}(#{arguments})"
    in { kind: :finish, data: { finish_reason: } } then puts " [#{finish_reason}]"
    else # there are more kinds
    end
  end
rescue PyAgent::Error => error
  puts "#{error.kind}, HTTP #{error.status}: #{error.message}"
end

PyAgent::Client.open(provider: "echo") do |client|
  request = { model: "echo", messages: [{ role: "user", content: "Hello, Ruby" }] }
  print_answer(client, **request)

  # What the model inside the library answers instead, if its request says so.
  tool = { name: "get_weather", arguments: { city: "Oslo" } }
  refusal = { status: 401, body: { error: { message: "No such key." } } }
  [{ tools: [tool] }, refusal].each { |script| print_answer(client, **request, extra_body: { fake: script }) }
end
