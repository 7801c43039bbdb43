// Streams of pyagent for C++17: a range of events, which throws when the answer fails. docs/hosts/cpp.md explains it.
#ifndef PYAGENT_HPP
#define PYAGENT_HPP

#include <cstdint>
#include <cstring>
#include <iterator>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "pyagent.h"

namespace pyagent {

using nlohmann::json;

// Why a request failed. `kind` is one of docs/errors.md, `status` that of HTTP or 0, `details` all that is known.
class Error : public std::runtime_error {
public:
    explicit Error(json said)
        : std::runtime_error(said.value("message", "")), kind(said.value("kind", "")),
          status(said.value("status_code", 0)), details(std::move(said)) {}

    std::string kind;
    int status;
    json details;
};

enum class Kind : std::uint8_t {
    text = PYAGENT_FRAME_TEXT, reasoning = PYAGENT_FRAME_REASONING, refusal = PYAGENT_FRAME_REFUSAL,
    tool_args = PYAGENT_FRAME_TOOL_ARGS, start = PYAGENT_FRAME_START, tool_begin = PYAGENT_FRAME_TOOL_BEGIN,
    tool_end = PYAGENT_FRAME_TOOL_END, usage = PYAGENT_FRAME_USAGE, logprobs = PYAGENT_FRAME_LOGPROBS,
    annotation = PYAGENT_FRAME_ANNOTATION, part = PYAGENT_FRAME_PART, detail = PYAGENT_FRAME_DETAIL,
    retry = PYAGENT_FRAME_RETRY, raw = PYAGENT_FRAME_RAW, notice = PYAGENT_FRAME_NOTICE, item = PYAGENT_FRAME_ITEM,
    vector = PYAGENT_FRAME_VECTOR, // its text has the bytes of float32 numbers
    finish = PYAGENT_FRAME_FINISH, result = PYAGENT_FRAME_RESULT, error = PYAGENT_FRAME_ERROR,
};

// One event; a kind that the enum does not name is one to leave out.
struct Event {
    Kind kind;
    int index;        // of the choice; for tool kinds of the tool call
    std::string text; // one delta of the kinds that are text
    json data;        // what the other kinds say; tool_end has the whole call: id, name, arguments (a string)
};

// Throws what a function of the library says that it could not do.
inline void check(std::int32_t status) {
    if (status != PYAGENT_OK) throw Error(json{{"kind", "internal"}, {"message", pyagent_status_name(status)}});
}

// A handle of the library, closed with its owner.
class Handle {
public:
    explicit Handle(std::uint64_t number) : number_(number) {}
    Handle(Handle &&other) noexcept : number_(std::exchange(other.number_, 0)) {}
    Handle &operator=(Handle &&other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Handle() { pyagent_close(number_); }
    std::uint64_t get() const noexcept { return number_; }

private:
    std::uint64_t number_;
};

// The answer to one request. One thread reads it, any other one may cancel it; its end closes the connection.
class Stream {
public:
    explicit Stream(Handle call) : call_(std::move(call)), buffer_(32 * 1024) {}

    // Waits for the next event; nothing at the end. Throws Error, also when asked again.
    std::optional<Event> next() {
        if (failure_) throw Error(*failure_);
        if (over_) return std::nullopt;
        if (payload_.empty()) open_frame();
        Event event{kind_, index_, {}, {}};
        std::size_t size = many_ ? payload_.find('\0') : std::string_view::npos;
        std::string_view piece = payload_.substr(0, size);
        payload_.remove_prefix(size == std::string_view::npos ? payload_.size() : size + 1);
        int number = static_cast<int>(kind_);
        if (number < 16 || kind_ == Kind::vector) event.text = piece;
        else event.data = json::parse(piece);
        over_ = number >= PYAGENT_FRAME_FINISH;
        if (kind_ == Kind::error) throw Error(*(failure_ = std::move(event.data)));
        if (kind_ == Kind::tool_begin) {
            (calls_[index_] = event.data)["arguments"] = "";
        } else if (kind_ == Kind::tool_args) {
            calls_[index_]["arguments"].get_ref<std::string &>() += event.text;
        } else if (kind_ == Kind::tool_end) {
            event.data = std::move(calls_[index_]);
        }
        return event;
    }

    // Ends the stream: its reader gets an Error of the kind "cancelled".
    void cancel() noexcept { pyagent_cancel(call_.get()); }

    struct End {};

    class Iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = Event;
        using difference_type = std::ptrdiff_t;
        using pointer = Event *;
        using reference = Event &;

        explicit Iterator(Stream &stream) : stream_(&stream), event_(stream.next()) {}
        Event &operator*() { return *event_; }
        Event *operator->() { return &*event_; }
        Iterator &operator++() {
            event_ = stream_->next();
            return *this;
        }
        void operator++(int) { ++*this; }
        bool operator!=(End) const { return event_.has_value(); }
        bool operator==(End) const { return !event_.has_value(); }

    private:
        Stream *stream_;
        std::optional<Event> event_;
    };

    Iterator begin() { return Iterator(*this); }
    End end() { return {}; }

private:
    void open_frame() {
        if (next_ == used_) fetch();
        const unsigned char *header = buffer_.data() + next_;
        std::uint32_t size;
        std::uint16_t index;
        std::memcpy(&size, header, 4); // on a little-endian machine
        std::memcpy(&index, header + 6, 2);
        kind_ = static_cast<Kind>(header[4]);
        many_ = header[5] & PYAGENT_FLAG_MANY;
        index_ = index;
        payload_ = {reinterpret_cast<const char *>(header) + PYAGENT_FRAME_HEADER, size};
        next_ += PYAGENT_FRAME_HEADER + size;
    }

    void fetch() {
        next_ = 0;
        std::int32_t status;
        while ((status = pyagent_poll(call_.get(), buffer_.data(), buffer_.size(), -1, &used_)) == PYAGENT_TOO_SMALL)
            buffer_.resize(used_);
        if (status != PYAGENT_OK) used_ = 0;
        check(status);
    }

    Handle call_;
    std::vector<unsigned char> buffer_;
    std::size_t next_ = 0, used_ = 0; // the frames that wait in buffer_
    std::string_view payload_;        // what waits of the frame that is open
    Kind kind_{};
    int index_ = 0;
    bool many_ = false, over_ = false;
    std::optional<json> failure_;
    std::map<int, json> calls_; // tool calls, by the index of their frames
};

// A vendor's address, a key, settings: docs/abi.md lists the fields. Any number of threads may ask it.
class Client {
public:
    explicit Client(const json &config) : handle_(open(config.dump())) {}

    // Starts a request and returns at once; its op is "stream" unless it names one.
    Stream stream(json request) const {
        request.emplace("op", "stream");
        std::string text = request.dump();
        std::uint64_t call = 0;
        check(pyagent_submit(handle_.get(), 0, text.data(), text.size(), &call));
        return Stream(Handle(call));
    }

private:
    static std::uint64_t open(const std::string &config) {
        std::uint64_t client = 0;
        if (pyagent_abi_version() != PYAGENT_ABI_VERSION) throw std::logic_error("header and library do not fit");
        check(pyagent_client_open(config.data(), config.size(), &client));
        return client;
    }

    Handle handle_;
};

} // namespace pyagent

#endif
