// A chat template that somebody gives: Jinja, as checkpoints and GGUF files have it. Ollama's own are written in Go's language of
// templates, which says less of a model (a template is read here to know how it thinks and calls tools), and is refused as that.
import { QuernError } from '@quern/errors';
import { renderChat } from '@quern/tokenizer';

const probe = 'a text that is looked for';
const asGo = /\{\{-?\s*(?:\.|\$|\/\*|(?:if|range|with|end|define|template|block|slice|len|index|json)\b)/;

/** @throws QuernError `template-go`, `chat-template-invalid`, `template-no-messages` */
export function requireTemplate(template: string): void {
  let rendered: string;
  try {
    rendered = renderChat({ template, messages: [{ role: 'user', content: probe }] });
  } catch (error) {
    if (!(error instanceof QuernError)) throw error;
    if (error.code === 'chat-template-refused') return;
    if (!template.includes('{%') && asGo.test(template))
      throw new QuernError('template-go', 'The template is in the language of Go, which is not read here.', {
        remedy: 'Leave it out: the model’s own is used, which stands in its file. Or give one in Jinja.',
      });
    throw error;
  }
  if (rendered.includes(probe)) return;
  throw new QuernError('template-no-messages', 'The template does not write what the messages say.', {
    remedy: 'Give a Jinja template, such as tokenizer_config.json of a checkpoint has, or leave it out.',
  });
}
