declare module "hpack.js" {
  interface Decompressor {
    write(block: Buffer): void;
    execute(): void;
    read(): { readonly name: string; readonly value: string } | null;
  }
  const hpack: {
    readonly decompressor: {
      create(options: { readonly table: { readonly maxSize: number; readonly protocolMaxSize: number } }): Decompressor;
    };
  };
  export default hpack;
}
