// Messages of the Debug Adapter Protocol on a byte stream: a header
// "Content-Length: N", an empty line, N bytes of JSON (DAP 1.71, Base Protocol).

import { StringDecoder } from "node:string_decoder";

const headerMax = 4096;
const contentMax = 64 << 20;

/** encode returns a message as bytes. */
export function encode(json: string): Buffer {
  const body = Buffer.from(json, "utf8");
  return Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`, "ascii"), body]);
}

/** Decoder cuts a stream into messages. */
export class Decoder {
  private parts: Buffer[] = [];
  private have = 0;
  private want = -1; // bytes of the content that is being read; -1: a header is

  /** push takes bytes and returns the JSON texts that are complete; it throws when the stream is no DAP. */
  push(chunk: Buffer): string[] {
    this.parts.push(chunk);
    this.have += chunk.length;
    const out: string[] = [];
    while (this.have > 0 && (this.want < 0 || this.have >= this.want)) {
      const all = this.parts.length === 1 ? (this.parts[0] as Buffer) : Buffer.concat(this.parts);
      this.parts = [all];
      if (this.want < 0) {
        const end = all.indexOf("\r\n\r\n");
        if (end < 0) {
          if (all.length > headerMax) {
            throw new Error("the debug adapter's header has no end");
          }
          break;
        }
        this.want = contentLength(all.toString("latin1", 0, end));
        this.keep(all.subarray(end + 4));
      } else {
        out.push(new StringDecoder("utf8").end(all.subarray(0, this.want)));
        this.keep(all.subarray(this.want));
        this.want = -1;
      }
    }
    return out;
  }

  private keep(rest: Buffer): void {
    this.parts = rest.length > 0 ? [rest] : [];
    this.have = rest.length;
  }
}

function contentLength(header: string): number {
  const m = /^content-length:\s*(\d{1,9})\s*$/im.exec(header);
  const length = m ? Number(m[1]) : Number.NaN;
  if (!(length <= contentMax)) {
    throw new Error(`the debug adapter sent a bad header: ${JSON.stringify(header.slice(0, 80))}`);
  }
  return length;
}
