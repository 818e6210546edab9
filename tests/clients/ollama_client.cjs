// Talks to the server named by its argument with the official client, and prints what it got.
const { Ollama } = require("ollama");

const question = [{ role: "user", content: "How long does the warranty of the Kestrel last?" }];
const tools = [{
  type: "function",
  function: { name: "weather", parameters: { type: "object", properties: { city: { type: "string" } } } },
}];

async function gathered(stream, of) {
  let text = "";
  for await (const part of stream) text += of(part);
  return text;
}

async function refused(call) {
  try {
    await call();
    return null;
  } catch (error) {
    return { name: error.name, status: error.status_code, message: error.message };
  }
}

async function main() {
  const client = new Ollama({ host: process.argv[2] });
  const chat = (model, more) => client.chat({ model, messages: question, ...more });
  const answer = await chat("kb/docs");
  const abandoned = await chat("tiny", { stream: true });
  for await (const _ of abandoned) break;
  console.log(JSON.stringify({
    version: (await client.version()).version,
    models: (await client.list()).models.map((model) => model.name),
    running: (await client.ps()).models.length,
    capabilities: (await client.show({ model: "kb/docs" })).capabilities,
    one: (await client.embed({ model: "all-minilm", input: "hello world" })).embeddings,
    many: (await client.embed({ model: "all-minilm", input: ["hello world", "猫"] })).embeddings,
    old: (await client.embeddings({ model: "all-minilm", prompt: "hello world" })).embedding,
    answer: answer.message.content,
    citations: answer.citations,
    streamed: await gathered(await chat("kb/docs", { stream: true }), (p) => p.message.content),
    generated: (await client.generate({ model: "kb/docs", prompt: question[0].content })).response,
    passed: await gathered(
      await client.generate({ model: "tiny", prompt: "hi", stream: true }), (p) => p.response),
    tools: (await chat("tiny-tools", { tools })).message.tool_calls,
    format: (await chat("tiny", { format: "json" })).message.content,
    pulled: await gathered(await client.pull({ model: "tiny", stream: true }), (p) => p.status + ";"),
    unknown: await refused(() => chat("kb/nope")),
    unfit: await refused(() => chat("all-minilm")),
    deleted: await refused(() => client.delete({ model: "kb/docs" })),
  }));
}

main();
