// What a client is told of a part that has no such type here (an image, a sound): its name, where zod says "Invalid input".

/** @param place what the part is one of: `content` */
export const unknownType =
  (place: string) =>
  ({ input }: { input?: unknown }): string => {
    const type = (input as { type?: unknown } | null)?.type;
    return typeof type === 'string' ? `${place} of type "${type}" is not supported here` : `${place} needs a type`;
  };
