import java.util.List;
import java.util.Map;
import pyagent.PyAgent;

/** The program of docs/hosts/java.md: an answer of text, one with a tool call, and a refusal. */
class Example {
    static void printAnswer(PyAgent client, Map<String, ?> request) {
        try (PyAgent.Stream stream = client.stream(request)) {
            for (PyAgent.Event event : stream) {
                switch (event.kind()) {
                    case TEXT -> System.out.print(event.text());
                    case TOOL_END -> System.out.print(call(event.json()));
                    case FINISH -> System.out.println(" [" + event.json().get("finish_reason").getAsString() + "]");
                    default -> { }
                }
            }
        } catch (PyAgent.StreamException failure) {
            System.out.println(failure.kind() + ", HTTP " + failure.status() + ": " + failure.getMessage());
        }
    }

    static String call(com.google.gson.JsonObject tool) {
        return tool.get("name").getAsString() + "(" + tool.get("arguments").getAsString() + ")";
    }

    public static void main(String[] arguments) {
        List<?> messages = List.of(Map.of("role", "user", "content", "Hello, Java"));
        try (PyAgent client = new PyAgent(Map.of("provider", "echo"))) {
            printAnswer(client, Map.of("model", "echo", "messages", messages));

            // What the model inside the library answers instead, if its request says so.
            Map<?, ?> tool = Map.of("name", "get_weather", "arguments", Map.of("city", "Oslo"));
            Map<?, ?> refusal = Map.of("status", 401, "body", Map.of("error", Map.of("message", "No such key.")));
            for (Map<?, ?> script : List.of(Map.of("tools", List.of(tool)), refusal)) {
                printAnswer(client, Map.of("model", "echo", "messages", messages, "extra_body", Map.of("fake", script)));
            }
        }
    }
}
