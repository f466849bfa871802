const PLACEHOLDER = /\{([A-Za-z_][\w.]*)\}/;

/** Text cut at its placeholders: even entries are literal, odd ones are names. */
export const cutAtPlaceholders = (text: string): string[] => text.split(PLACEHOLDER);
