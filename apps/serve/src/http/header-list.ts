// Words of a client in a header of its answer. They may have any length and any character, halves of pairs too, and there may be any number of
// them; a header may have none of this, and clients refuse answers whose headers are larger than some kilobytes.

const mostWords = 32;
const longestWord = 64;

export const headerList = (words: readonly string[]): string => words.slice(0, mostWords).map(written).join(', ');

/** As UTF-8, half a pair is what stands for a wrong character. */
const written = (word: string): string => encodeURIComponent(Buffer.from(word.slice(0, longestWord)).toString());
