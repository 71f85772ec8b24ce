import { type DescService, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";

/** Converts the generated description of a service to the definition that servers and clients of grpc-js need. */
export function grpcDefinition(service: DescService): ServiceDefinition {
  return Object.fromEntries(
    service.methods.map((method): [string, MethodDefinition<Message, Message>] => [
      method.localName,
      {
        path: `/${service.typeName}/${method.name}`,
        requestStream: method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming",
        responseStream: method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming",
        requestSerialize: (message) => Buffer.from(toBinary(method.input, message)),
        requestDeserialize: (bytes) => fromBinary(method.input, bytes),
        responseSerialize: (message) => Buffer.from(toBinary(method.output, message)),
        responseDeserialize: (bytes) => fromBinary(method.output, bytes),
      },
    ]),
  );
}
