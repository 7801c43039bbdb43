// The program of docs/hosts/cpp.md.
#include <iostream>

#include "pyagent.hpp"

using pyagent::json;
using pyagent::Kind;

std::string word(const json &data, const char *name) { return data.at(name).get<std::string>(); }

void print_answer(const pyagent::Client &client, const json &request) {
    try {
        for (pyagent::Event &event : client.stream(request)) {
            if (event.kind == Kind::text)
                std::cout << event.text << std::flush;
            else if (event.kind == Kind::tool_end)
                std::cout << word(event.data, "name") << "(" << word(event.data, "arguments") << ")";
            else if (event.kind == Kind::finish)
                std::cout << " [" << word(event.data, "finish_reason") << "]\n";
        }
    } catch (const pyagent::Error &error) {
        std::cout << error.kind << ", HTTP " << error.status << ": " << error.what() << "\n";
    }
}

int main() {
    pyagent::Client client(json{{"provider", "echo"}});
    json request = json::parse(R"({"model": "echo", "messages": [{"role": "user", "content": "Hi, C++"}]})");

    print_answer(client, request);

    request["extra_body"] = json::parse(R"({"fake": {"tools": [{"name": "clock", "arguments": {"city": "Oslo"}}]}})");
    print_answer(client, request);

    request["extra_body"] = json::parse(R"({"fake": {"status": 401, "body": {"error": {"message": "No such key."}}}})");
    print_answer(client, request);
}
