"use strict";
// Searches the passages inside the page by BM25; where the page comes from its server, that one answers instead.
const data = JSON.parse(document.getElementById("data").textContent);
const stop = new Set(data.stop);
const stem = (word) => {
  for (const end of data.suffixes)
    if (word.endsWith(end) && word.length - end.length >= 3) { word = word.slice(0, -end.length); break; }
  return word.length > 3 && word.at(-1) === word.at(-2) ? word.slice(0, -1) : word;
};
const stems = (text) => (text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) || []).filter((word) => !stop.has(word)).map(stem);

const postings = new Map();
const lengths = data.passages.map((passage, at) => {
  const found = stems(`${passage.title} ${passage.heading} ${passage.text}`);
  for (const word of found) {
    if (!postings.has(word)) postings.set(word, new Map());
    const counts = postings.get(word);
    counts.set(at, (counts.get(at) || 0) + 1);
  }
  return found.length;
});
const mean = lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, lengths.length);
const rarity = (word) => {
  const count = postings.get(word)?.size || 0;
  return Math.log(1 + (lengths.length - count + 0.5) / (count + 0.5));
};

function search(text, most) {
  const asked = [...new Set(stems(text))];
  const scores = new Map();
  for (const word of asked)
    for (const [at, count] of postings.get(word) || [])
      scores.set(at, (scores.get(at) || 0) +
        (rarity(word) * count * 2.2) / (count + 1.2 * (0.25 + (0.75 * lengths[at]) / mean)));
  const order = [...scores].sort((left, right) => right[1] - left[1] || left[0] - right[0]).slice(0, most);
  return { asked, hits: order.map(([at]) => data.passages[at]) };
}

function answer({ asked, hits }) {
  const total = asked.reduce((sum, word) => sum + rarity(word), 0) || 1;
  const match = (text) => { const has = new Set(stems(text)); return asked.filter((word) => has.has(word)).reduce((sum, word) => sum + rarity(word), 0) / total; };
  const usable = hits.slice(0, 6).filter((hit) => !hit.flags);
  const whole = usable.map((hit) => match(`${hit.title} ${hit.heading} ${hit.text}`));
  if (!usable.length || Math.max(...whole) < data.minimum_match) return [];
  const choices = usable.flatMap((hit, rank) => (whole[rank] < data.minimum_match ? [] :
    (hit.text.match(/(?:[^.!?]|[.!?](?!\s|$))+[.!?]*/g) || []).map((sentence) => sentence.trim())
      .filter((sentence) => sentence.length > 20 && sentence.length < 600)
      .map((sentence) => ({ text: sentence, hit, value: match(sentence) + 0.5 * whole[rank] - 0.05 * rank }))));
  return choices.sort((left, right) => right.value - left.value).slice(0, 2);
}

function place(hit) {
  const line = document.createElement("p");
  line.className = "place";
  const name = document.createElement(/^https?:/.test(hit.url) ? "a" : "span");
  if (name.tagName === "A") name.href = hit.url;
  name.textContent = hit.document;
  line.append(name, hit.heading ? `: ${hit.heading}` : "");
  return line;
}

function marked(text, asked) {
  const shown = document.createElement("pre");
  for (const part of text.split(/([\p{L}\p{N}_]+)/u)) {
    const hit = part && asked.includes(stem(part.toLowerCase())) && !stop.has(part.toLowerCase());
    const node = hit ? document.createElement("mark") : document.createTextNode(part);
    if (hit) node.textContent = part;
    shown.append(node);
  }
  return shown;
}

function show(asked, hits, sentences, refusal) {
  const box = document.getElementById("answer");
  box.replaceChildren();
  box.hidden = false;
  if (!sentences.length) box.append(refusal || "Nothing here is about this.");
  sentences.forEach((sentence, at) => {
    const line = document.createElement("p");
    line.textContent = `${sentence.text.replace(/\s+/g, " ")} [${at + 1}]`;
    const cited = place(sentence.hit);
    cited.prepend(`[${at + 1}] `);
    box.append(line, cited);
  });
  document.getElementById("hits").replaceChildren(...hits.map((hit) => {
    const article = document.createElement("article");
    const title = document.createElement("h3");
    title.textContent = hit.title;
    article.append(title, place(hit), marked(hit.text, asked));
    if (hit.flags) {
      const flag = document.createElement("p");
      flag.className = "flag";
      flag.textContent = `Looks like ${hit.flags}`;
      article.append(flag);
    }
    return article;
  }));
}

async function ask(text) {
  const here = search(text, 8);
  if (data.served) {
    const found = await (await fetch(`search?q=${encodeURIComponent(text)}`)).json();
    if (found.error) return show([], [], [], found.error);
    return show(here.asked, found.hits, found.sentences, found.refusal);
  }
  show(here.asked, here.hits, answer(here));
}

document.getElementById("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = document.getElementById("question").value.trim();
  if (text) ask(text);
});
