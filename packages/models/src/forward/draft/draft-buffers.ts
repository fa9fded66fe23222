// Names of the buffers that a device has for draft blocks, beside those of any block.
export const draftBuffers = {
  /** Of the last pass over the network. */
  networkHidden: 'networkHidden',
  /** Of the last pass over a draft block. */
  ownHidden: 'draftHidden',
  rows: 'hiddenRows',
  /** One half of what is joined. */
  half: 'draftHalf',
  join: 'draftJoin',
} as const;
