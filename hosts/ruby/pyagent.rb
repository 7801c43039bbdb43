# frozen_string_literal: true

require "fiddle"
require "json"

# Streams of pyagent for Ruby: `each` gives events. docs/hosts/ruby.md explains it by an example.
#
# Fiddle lets other threads run during a call, but nothing reaches a thread that waits in one: no interrupt, no Timeout,
# no fiber scheduler. So none waits there. A stream has an inbox of its own, the library writes a byte to a pipe when
# something has come, and Ruby waits for that as for any IO. Calls return at once, so they keep the interpreter's lock.
module PyAgent
  # Why a stream failed: kind is one of docs/errors.md, status that of HTTP or nil, details are all that is known.
  class Error < StandardError
    attr_reader :kind, :status, :details

    def initialize(details)
      super(details[:message])
      @kind, @status, @details = details[:kind], details[:status_code], details
    end
  end

  # A piece of an answer. The index is that of the choice; for events of tools that of the tool call.
  Event = Struct.new(:kind, :index, :data)

  # The C interface of docs/abi.md.
  module Library
    WORD, SIZE, POINTER, INT = -Fiddle::TYPE_LONG_LONG, Fiddle::TYPE_SIZE_T, Fiddle::TYPE_VOIDP, Fiddle::TYPE_INT

    # Loads the file with all signals blocked, so that its threads leave them to Ruby's.
    def self.load(path)
      mask = Fiddle::Function.new(Fiddle.dlopen(nil)["pthread_sigmask"], [INT, POINTER, POINTER], INT)
      set, before = RUBY_PLATFORM.include?("linux") ? 2 : 3, memory(128) # SIG_SETMASK
      mask.call(set, "\xff" * 128, before)
      Fiddle.dlopen(path)
    ensure
      mask.call(set, before, nil)
    end

    # Memory that the library writes to. A String is none: its parts may be shared.
    def self.memory(size = 64 * 1024) = Fiddle::Pointer.malloc(size, Fiddle::RUBY_FREE)

    FILE = load(ENV.fetch("PYAGENT_LIBRARY", "libpyagent.so"))
    FUNCTIONS = {
      abi_version: [],
      client_open: [POINTER, SIZE, POINTER],
      inbox_open: [WORD, Fiddle::TYPE_INTPTR_T, POINTER],
      submit: [WORD, WORD, POINTER, SIZE, POINTER],
      poll: [WORD, POINTER, SIZE, INT, POINTER],
      cancel: [WORD],
      inspect: [WORD, POINTER, SIZE, POINTER],
      close: [WORD]
    }.to_h { |name, types| [name, Fiddle::Function.new(FILE["pyagent_#{name}"], types, INT, need_gvl: true)] }.freeze
    STATUS_NAME = Fiddle::Function.new(FILE["pyagent_status_name"], [INT], POINTER)
    CLOSED, TOO_SMALL = -2, -4
    PROCESS = Process.pid

    def self.call(name, *arguments)
      raise "load pyagent after fork, in the process that uses it" if Process.pid != PROCESS

      status = FUNCTIONS[name].call(*arguments)
      return status unless status.negative? && status != TOO_SMALL

      raise Error.new(kind: status == CLOSED ? "cancelled" : "internal", message: STATUS_NAME.call(status).to_s)
    end

    # The handle that a function opened.
    def self.open(name, *arguments)
      place = memory(8)
      call(name, *arguments, place)
      place[0, 8].unpack1("Q")
    end

    # What a function wrote into the memory, or into a larger one if it has to be.
    def self.fill(memory, name, handle, *timeout)
      used = memory(8)
      status = call(name, handle, memory, memory.size, *timeout, used)
      size = used[0, 8].unpack1("Q")
      status == TOO_SMALL ? fill(memory(size + 4096), name, handle, *timeout) : memory[0, size]
    end

    # Closes a handle and then files, in the process that opened them. It knows no object, and so may finalize one.
    def self.closing(handle, *files)
      proc do
        next if Process.pid != PROCESS

        FUNCTIONS[:close].call(handle) # after this nothing is written to a pipe
        files.each(&:close)
      end
    end

    raise LoadError, "this is for version 1 of pyagent's interface" if call(:abi_version) != 1
  end

  # What the library says about itself, among it how many handles are open.
  def self.inspect_library
    JSON.parse(Library.fill(Library.memory, :inspect, 0), symbolize_names: true)
  end

  # A vendor, a key and settings, as docs/abi.md#configuration has them. Any thread may start streams from it.
  class Client
    def self.open(**config)
      client = new(**config)
      block_given? ? yield(client) : client
    ensure
      client&.close if block_given?
    end

    def initialize(**config)
      text = JSON.generate(config)
      @number = Library.open(:client_open, text, text.bytesize)
      ObjectSpace.define_finalizer(self, @closing = Library.closing(@number))
    end

    # Starts a request of docs/abi.md#request, op "stream" unless it names one. With a block, reads it to its end.
    def stream(**request, &block)
      stream = Stream.new(@number, { op: "stream", **request })
      block ? stream.each(&block) : stream
    end

    # Closes the client. Its streams go on.
    def close = @closing.call
  end

  # One request from its start to its end, to be read once, by one thread. Leaving `each` closes it.
  class Stream
    include Enumerable

    KINDS = {
      1 => :text, 2 => :reasoning, 3 => :refusal, 4 => :tool_args, 16 => :start, 17 => :tool_begin, 18 => :tool_end,
      19 => :usage, 20 => :logprobs, 21 => :annotation, 22 => :part, 23 => :detail, 24 => :retry, 25 => :raw,
      26 => :notice, 27 => :item, 32 => :vector, 64 => :finish, 65 => :result, 66 => :error
    }.freeze
    HEADER, MANY, FIRST_JSON, VECTOR, TERMINAL = 16, 1, 16, 32, 64

    def initialize(client, request)
      text = JSON.generate(request)
      @reader, writer = IO.pipe # which does not block, in either direction
      @inbox = Library.open(:inbox_open, client, writer.fileno)
      ObjectSpace.define_finalizer(self, @closing = Library.closing(@inbox, @reader, writer))
      @call = Library.open(:submit, client, @inbox, text, text.bytesize)
      @memory, @tools, @ended = Library.memory, {}, false
    end

    # Gives each Event up to the last, FINISH or RESULT. A failure is raised as an Error.
    def each
      return to_enum unless block_given?

      frames(receive) { |*event| yield Event.new(*event) } until @ended
      self
    ensure
      close if block_given?
    end

    # Ends the stream: reading it then fails with the kind "cancelled".
    def cancel = Library.call(:cancel, @call)

    # Closes the stream and its connection at once.
    def close = @closing.call

    private

    def receive
      @reader.readpartial(64)
      Library.fill(@memory, :poll, @inbox, 0)
    rescue IOError # not one of the block's
      raise Error.new(kind: "cancelled", message: "the stream was closed")
    end

    def frames(data, at = 0)
      while at < data.bytesize
        size, number, flags, index = data.unpack("VCCv", offset: at)
        @ended = number >= TERMINAL
        values = decode(number, flags, data.byteslice(at + HEADER, size))
        values.each { |value| yield KINDS[number], index, assemble(KINDS[number], index, value) }
        at += HEADER + size
      end
    end

    def decode(number, flags, payload)
      return [] unless KINDS.key?(number) # the library is newer than this binding
      return [payload.unpack("e*")] if number == VECTOR

      text = payload.force_encoding(Encoding::UTF_8)
      return [JSON.parse(text, symbolize_names: true)] if number >= FIRST_JSON

      (flags & MANY).zero? ? [text] : text.split("\0")
    end

    def assemble(kind, index, data)
      case kind
      when :tool_begin then @tools[index] = { **data, arguments: +"" }
      when :tool_args then @tools[index][:arguments] << data
      when :tool_end then return @tools[index]
      when :error then raise Error.new(data)
      end
      data
    end
  end
end
