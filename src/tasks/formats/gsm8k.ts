/** GSM8K: word problems for primary school, whose worked answers end in `#### 18`. Cobbe et al. 2021, arXiv:2110.14168. */
import { fieldsOf, fileProblem, type Format, hasFields } from "./format.ts";

const marked = /####\s*(-?[\d,]*\.?\d+)\s*$/;

export const gsm8k: Format = {
  name: "gsm8k",
  title: "word problems whose worked answers end in `#### number`",
  example: '{"question": "Two and two?", "answer": "2+2=<<2+2=4>>4\\n#### 4"}',
  source: "openai/grade-school-math, MIT",
  fits: (value) => hasFields(value, "question", "answer") && marked.test(String(value.answer)),
  read(record) {
    const { text, fault } = fieldsOf(record, "gsm8k");
    const [question, answer] = [text("question"), text("answer")];
    const [, reference] = marked.exec(answer) ?? [];
    if (reference === undefined) throw fault("answer", "text that ends in '#### number'");
    return [
      fileProblem({
        id: `gsm8k/${record.number}`,
        prompt: question,
        check: { kind: "number" },
        reference: reference.replaceAll(",", ""),
        worked: answer.replace(/<<[^<>]*>>/g, "").trim(), // notes for a calculator
      }),
    ];
  },
};
