# A stand-in for the part of nixpkgs' lib that the bridge's modules and their tests
# need, so that these run where there is no nixpkgs. NIXPKGS_DIR=... nix/tests/check
# runs the same tests with nixpkgs' own.
let
  inherit (builtins)
    all
    any
    attrNames
    concatLists
    concatMap
    concatStringsSep
    elem
    elemAt
    filter
    genList
    head
    isAttrs
    isBool
    isFunction
    isInt
    isList
    isPath
    isString
    length
    listToAttrs
    mapAttrs
    match
    replaceStrings
    stringLength
    substring
    ;

  typeOf = value: if isAttrs value then value._type or null else null;
  isOption = value: typeOf value == "option";
  mkIf = condition: content: {
    _type = "if";
    inherit condition content;
  };

  # The definitions in one, at a leaf: conditions are looked at.
  discharge =
    definition:
    if typeOf definition == "merge" then
      concatMap discharge definition.contents
    else if typeOf definition == "if" then
      if definition.condition then discharge definition.content else [ ]
    else
      [ definition ];

  # Of a leaf's definitions, a default counts only where there is no other.
  strongest =
    values:
    let
      others = filter (value: typeOf value != "default") values;
    in
    if others != [ ] then others else map (value: value.content) values;

  # discharge above the leaves, where a condition may depend on what is being made: it
  # goes down with every member.
  pushDown =
    definition:
    if typeOf definition == "merge" then
      concatMap pushDown definition.contents
    else if typeOf definition == "if" then
      map (mapAttrs (_: mkIf definition.condition)) (pushDown definition.content)
    else
      [ definition ];

  # Attribute sets into one, each member made of the list of its values.
  zip =
    make: sets:
    listToAttrs (
      map (name: {
        inherit name;
        value = make name (concatMap (set: if set ? ${name} then [ set.${name} ] else [ ]) sets);
      }) (concatMap attrNames sets)
    );

  equal =
    values: if all (value: value == head values) values then head values else throw "conflicting definitions";
  mkType = name: check: {
    inherit name check;
    merge = equal;
  };
  checked =
    type: values:
    if all type.check values then type.merge values else throw "a definition is not of type ${type.name}";

  anything = mkType "anything" (_: true) // {
    merge =
      definitions:
      let
        values = concatMap discharge definitions;
      in
      if all isAttrs values then
        zip (_: anything.merge) values
      else if all isList values then
        concatLists values
      else
        equal values;
  };

  types = {
    inherit anything;
    bool = mkType "boolean" isBool;
    str = mkType "string" isString;
    raw = mkType "raw" (_: true);
    path = mkType "path" (value: (isPath value || isString value) && substring 0 1 (toString value) == "/");
    package = mkType "package" (value: isAttrs value && value.type or null == "derivation");
    lines = mkType "lines" isString // {
      merge = concatStringsSep "\n";
    };
    enum = values: mkType "one of ${builtins.toJSON values}" (value: elem value values);
    strMatching =
      pattern: mkType "string matching ${pattern}" (value: isString value && match pattern value != null);
    ints.between = least: most: mkType "integer" (value: isInt value && least <= value && value <= most);
    ints.unsigned = mkType "unsigned integer" (value: isInt value && value >= 0);
    either = a: b: mkType "${a.name} or ${b.name}" (value: a.check value || b.check value);
    addCheck = type: check: type // { check = value: type.check value && check value; };
    nullOr =
      type:
      mkType "null or ${type.name}" (value: value == null || type.check value)
      // {
        merge = values: if any (value: value == null) values then equal values else type.merge values;
      };
    listOf =
      type:
      mkType "list of ${type.name}" isList // {
        merge = lists: map (value: checked type (discharge value)) (concatLists lists);
      };
    attrsOf =
      type:
      mkType "attributes of ${type.name}" isAttrs // {
        merge = sets: zip (_: values: checked type (concatMap discharge values)) (concatMap pushDown sets);
      };
    submodule =
      module:
      mkType "submodule" isAttrs // {
        merge =
          sets: removeAttrs (evalModules { modules = [ module ] ++ map (config: { inherit config; }) sets; }).config [ "_module" ];
      };
  };

  mkOption = option: option // { _type = "option"; };

  optionsOf =
    name: declared:
    if any isOption declared then
      if length declared == 1 then head declared else throw "option ${name} is declared twice"
    else
      zip optionsOf declared;

  # What the options of a tree are, with definitions of the whole tree.
  valueOf =
    name: option: definitions:
    if isOption option then
      let
        values = strongest (concatMap discharge definitions);
      in
      if values != [ ] then
        checked option.type values
      else if option ? default then
        checked option.type [ option.default ]
      else
        throw "option ${name} is not defined"
    else
      let
        sets = concatMap pushDown definitions;
        unknown = filter (member: !(option ? ${member})) (concatMap attrNames sets);
        members = zip (_: values: values) sets;
      in
      if unknown != [ ] then
        throw "options do not exist: ${toString unknown}"
      else
        mapAttrs (member: sub: valueOf member sub (members.${member} or [ ])) option;

  evalModules =
    { modules }:
    let
      base.options._module.args = mkOption {
        type = types.attrsOf types.raw;
        default = { };
      };
      load =
        given:
        let
          module = if isPath given then import given else given;
          # Each argument by itself: what they are depends on the modules.
          argument = name: _: { inherit config lib; }.${name} or config._module.args.${name};
          called =
            if isFunction module then module (mapAttrs argument (builtins.functionArgs module)) else module;
        in
        [
          (
            if called ? config || called ? options then
              called
            else
              { config = removeAttrs called [ "imports" ]; }
          )
        ]
        ++ concatMap load (called.imports or [ ]);
      loaded = concatMap load ([ base ] ++ modules);
      options = optionsOf "" (map (module: module.options or { }) loaded);
      config = valueOf "" options (map (module: module.config or { }) loaded);
    in
    {
      inherit options config;
    };

  hasPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
  hasSuffix =
    suffix: text:
    stringLength text >= stringLength suffix
    && substring (stringLength text - stringLength suffix) (-1) text == suffix;

  lib = {
    inherit
      all
      any
      attrNames
      concatMap
      concatStringsSep
      elem
      evalModules
      filter
      hasPrefix
      hasSuffix
      head
      length
      listToAttrs
      mkIf
      mkOption
      types
      ;
    filterAttrs =
      keep: set: removeAttrs set (filter (name: !(keep name set.${name})) (attrNames set));
    genAttrs =
      names: make:
      listToAttrs (
        map (name: {
          inherit name;
          value = make name;
        }) names
      );
    getExe = package: "${package}/bin/${package.meta.mainProgram}";
    hasInfix = infix: text: replaceStrings [ infix ] [ "" ] text != text;
    importJSON = path: builtins.fromJSON (builtins.readFile path);
    last = list: elemAt list (length list - 1);
    literalExpression = text: text;
    literalMD = text: text;
    mkDefault = content: {
      _type = "default";
      inherit content;
    };
    mkEnableOption =
      name:
      mkOption {
        type = types.bool;
        default = false;
        description = "Whether to enable ${name}.";
      };
    mkMerge = contents: {
      _type = "merge";
      inherit contents;
    };
    min = a: b: if a < b then a else b;
    optional = condition: value: if condition then [ value ] else [ ];
    optionalAttrs = condition: set: if condition then set else { };
    optionalString = condition: text: if condition then text else "";
    range = first: last: genList (i: first + i) (last - first + 1);
    recursiveUpdate =
      a: b:
      if isAttrs a && isAttrs b then
        a // mapAttrs (name: value: if a ? ${name} then lib.recursiveUpdate a.${name} value else value) b
      else
        b;
    removePrefix =
      prefix: text: if hasPrefix prefix text then substring (stringLength prefix) (-1) text else text;
    splitString = separator: text: filter isString (builtins.split "[${separator}]" text);
    toInt = builtins.fromJSON;
  };
in
lib
