/**
 * XML: text from elsewhere in it, and elements.
 *
 * @module
 */

/**
 * Text for XML, without what XML 1.0 forbids, and without what would turn the text around it.
 *
 * Such characters become U+FFFD. The text fits between tags and between quotation marks, where
 * only line ends and tabs become spaces.
 *
 * @example
 * ```ts
 * import { escapeXml } from "./xml.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(escapeXml('a<b> & "c"\u001b'), "a&lt;b&gt; &amp; &quot;c&quot;\ufffd");
 * ```
 */
export function escapeXml(text: string): string {
  // Most texts, and the paths of pictures, which are long, need nothing.
  if (PLAIN.test(text)) return text;
  const allowed = text.replace(/[^\P{Cc}\t\n\r]|[\p{Cs}\p{Bidi_Control}\ufffe\uffff]/gu, "\ufffd");
  return allowed.replace(/[&<>"]/g, (char) => ENTITIES[char] ?? char);
}

const PLAIN = /^[ !#-%'-;=?-~]*$/;

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/** What an element's attributes are given as; those that are undefined are left out. */
export type XmlAttributes = Readonly<Record<string, string | number | undefined>>;

/**
 * An element, on one line with its content.
 *
 * @param content XML; an element without any is closed in its own tag
 */
export function xmlElement(name: string, attributes: XmlAttributes, content: string = ""): string {
  const words = Object.entries(attributes).flatMap(([key, value]) => {
    return value === undefined ? [] : [` ${key}="${attribute(String(value))}"`];
  });
  const open = `<${name}${words.join("")}`;
  return content === "" ? `${open}/>` : `${open}>${content}</${name}>`;
}

/** A value between quotation marks, whose line ends and tabs a reader would take for spaces. */
function attribute(value: string): string {
  return escapeXml(value).replace(/[\t\n\r]/g, (char) => `&#${char.charCodeAt(0)};`);
}
