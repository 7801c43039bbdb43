// The six checks of docs/hosts/index.md, in C++.
#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <thread>

#include "pyagent.hpp"

using pyagent::Client;
using pyagent::Error;
using pyagent::Event;
using pyagent::json;
using pyagent::Kind;
using pyagent::Stream;

namespace {

void must(bool holds, const std::string &what) {
    if (!holds) throw std::logic_error(what);
}

const json stalling = {{"text", "a b c d"}, {"after", 2}, {"end", "stall"}};

json ask(const std::string &content, const json &script = json::object()) {
    return {{"model", "m"},
            {"max_retries", 0},
            {"messages", json::array({{{"role", "user"}, {"content", content}}})},
            {"extra_body", {{"fake", script}}}};
}

Client server() { return Client(json{{"provider", "compatible"}, {"base_url", std::getenv("PYAGENT_SERVER")}}); }

// Reads a stream to its end, and returns its deltas.
std::vector<std::string> read_all(Stream stream) {
    std::vector<std::string> deltas;
    bool finished = false;
    for (Event &event : stream) {
        must(!finished, "nothing follows the last event");
        if (event.kind == Kind::text) deltas.push_back(event.text);
        finished = event.kind == Kind::finish && event.data.contains("finish_reason");
    }
    must(finished && !stream.next(), "a stream ends with finish, and goes on being at its end");
    return deltas;
}

std::string join(const std::vector<std::string> &deltas) {
    std::string text;
    for (const std::string &delta : deltas) text += delta;
    return text;
}

void check_stream() {
    const std::string text = "one two three ünï 🌍";
    std::vector<std::string> deltas = read_all(Client(json{{"provider", "echo"}}).stream(ask(text)));
    must(deltas.size() > 1 && join(deltas) == text, "the text comes in deltas and is whole");
    const std::string nul("a\0b", 3);
    deltas = read_all(server().stream(ask("nul", {{"pieces", json::array({nul, "c"})}})));
    must(deltas == std::vector<std::string>{nul, "c"}, "a NUL in a delta is text");
    const std::string large(100000, 'x');
    deltas = read_all(server().stream(ask("large", {{"pieces", json::array({large})}})));
    must(deltas == std::vector<std::string>{large}, "a delta may be larger than the buffer");
}

void check_tools() {
    Client client = server();
    json script = {{"tool_piece", 3}};
    script["tools"] = json::parse(R"([{"name": "get_weather", "arguments": {"city": "Oslo"}}])");
    json request = ask("tools", script), call;
    request["tools"] = json::parse(R"([{"type": "function", "function": {"name": "get_weather", "parameters":
        {"type": "object", "properties": {"city": {"type": "string"}}}}}])");
    for (Event &event : client.stream(request))
        if (event.kind == Kind::tool_end) call = event.data;
    must(call.at("id") == "call_1" && call.at("name") == "get_weather", "the call has an id and a name");
    must(json::parse(call.at("arguments").get<std::string>()) == json({{"city", "Oslo"}}), "its arguments are whole");

    json function = {{"name", call["name"]}, {"arguments", call["arguments"]}};
    json calls = json::array({{{"id", call["id"]}, {"type", "function"}, {"function", function}}});
    request["messages"].push_back({{"role", "assistant"}, {"tool_calls", calls}});
    request["messages"].push_back({{"role", "tool"}, {"tool_call_id", call["id"]}, {"content", "7 degrees"}});
    request["extra_body"]["fake"] = {{"text", "It is 7 degrees."}};
    must(join(read_all(client.stream(request))) == "It is 7 degrees.", "the answer to the result comes");
}

void must_fail(Stream &stream, const std::string &kind, int status, const std::string &words) {
    for (int again = 0; again < 2; again++) {
        try {
            while (stream.next()) continue;
            must(false, "an error of the kind " + kind + " is thrown");
        } catch (const Error &error) {
            must(error.kind == kind && error.status == status, error.kind + " is " + kind);
            must(std::string(error.what()).find(words) != std::string::npos, error.what());
        }
    }
}

void check_error() {
    Client client = server();
    json refusal = json::parse(R"({"status": 429, "body": {"error": {"message": "Slow down."}}})");
    Stream refused = client.stream(ask("error", refusal)), wrong = client.stream(json{{"model", "m"}});
    must_fail(refused, "rate_limit", 429, "Slow down.");
    must_fail(wrong, "configuration", 0, "messages");
}

void must_be_gone(const std::string &name) {
    std::string answer;
    std::cout << "gone? " << name << std::endl;
    must(std::getline(std::cin, answer) && answer == "yes", "the server saw the stream end");
}

void check_cancel() {
    Client client = server();
    Stream stream = client.stream(ask("cancel", stalling));
    while (stream.next().value().kind != Kind::text) continue;
    std::thread other([&] { stream.cancel(); });
    must_fail(stream, "cancelled", 0, "");
    other.join();
    must_be_gone("cancel");
}

void check_many() {
    Client client = server();
    std::vector<Stream> streams;
    for (int i = 0; i < 100; i++)
        streams.push_back(client.stream(ask("many " + std::to_string(i), {{"header_delay", 1}})));
    int number = 0;
    for (Stream &stream : streams)
        must(join(read_all(std::move(stream))) == "many " + std::to_string(number++), "each says its own");
}

void check_handles() {
    for (Event &event : server().stream(ask("left", stalling)))
        if (event.kind == Kind::text) break;
    must_be_gone("left");
    std::string said(1 << 20, '\0');
    const json none = {{"clients", 0}, {"inboxes", 0}, {"calls", 0}, {"working", 0}};
    for (int i = 0; i < 500; i++) {
        size_t used = 0;
        pyagent::check(pyagent_inspect(0, said.data(), said.size(), &used));
        if (json::parse(said.substr(0, used)).at("handles") == none) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    must(false, "no handle is left open");
}

} // namespace

int main() try {
    const std::vector<std::pair<std::string, std::function<void()>>> checks = {
        {"stream", check_stream}, {"tools", check_tools}, {"error", check_error},
        {"cancel", check_cancel}, {"many", check_many},   {"handles", check_handles}};
    for (const auto &[name, check] : checks) {
        for (int times = name == "many" ? std::stoi(std::getenv("PYAGENT_TIMES")) : 1; times > 0; times--) {
            check();
            std::cout << "ok " << name << std::endl;
        }
    }
} catch (const std::exception &error) {
    std::cout << "broken: " << error.what() << std::endl;
    return 1;
}
