"""Decides which words admins read to each other: 1,024 short ones, each unlike the others to the ear; both nodes need the same list."""

TEXT = """
abacus acorn acre actor adobe agenda airport alarm album alcove algebra alley almond alpaca amber anchor animal anise ankle ant antenna
anthem anvil apple apricot april apron arcade arctic arena artist aspen athlete atlas atom atrium attic audio august author autumn
avenue avocado award awning axle azure badge badger bagel baggage baker balcony ballet balloon bamboo banana banjo barley barn basil
basket bathtub battery beacon beagle beans bear beaver bedroom begonia bell bench beret berry bicycle binder bingo biscuit bistro
blanket blazer blender blimp blossom blouse boat bobcat bobsled bonfire bonnet boulder bouquet box boxcar branch brass bread bronze
brook broth brother bubble buffalo bundle buoy bureau burger butcher button buzzer cabbage cabin cable cactus cafe calico camel camera
camp campus canal canary candy canoe canopy canvas canyon capital caramel caravan carbon cargo carpet carrot cartoon cashew castle
catalog cavern cedar celery cello cement ceramic cereal chair chalk channel chapter charity chart cheese cheetah chicken chimney choir
chorus cinema circle circus citrus city clam clay clerk cliff climate clock closet cloud clover cluster coach coaster cobalt cobbler
cobweb cocoa coconut coffee collar college column comedy comet comic comma compass concert condor cookie copper coral cork corner cosmos
cottage cotton counter country cousin cowboy coyote crab cradle crater crayon cream crest cricket crocus cruise crumb crystal cube
curtain curve cushion custard cyclone cymbal cypress daisy dance dancer dawn decade decimal deck degree delta denim depot desert diagram
dialog diamond diary diesel digit dimple dinghy dinner diploma disco dolphin donkey dorm dove dozen dragon drama drawer dresser driver
drizzle drum duet dune duplex dustpan earring earth easel east echo eclipse editor effort egret eight elastic elbow eleven elk emerald
emu encore engine equal equator eraser errand essay estate evening event exit expert eyebrow fabric factory falcon family fanfare farmer
fashion father faucet felt fence fennel fern fiber fiddle field fifteen figure film filter final finch finger firefly five fjord flag
flannel flask flavor fleece flint float flour flower foam focus folder folk fondue forest forge formula fossil foyer frame franc freckle
freeway freezer freight fresco frost fruit fudge furnace gadget gala galaxy gallery gallon gander garage garden garland garlic garment
garnet gate gazebo gazelle gecko gelatin gem genie gentle gerbil gesture geyser giant giraffe glacier glass glider globe glue gnome
goblet goggles gold golfer gondola gorilla gown grain grammar granite grape gravel gravy griddle grocer grove guava guest guide guitar
gulf guppy gusto gymnast habit haddock hairdo hallway hammer hamster handbag handle hangar harbor harmony harness harp harvest hawk hay
heater hedge helium helm helmet herald herb heron hickory highway hill hinge hippo history hobby hockey hoist holiday hollow hoof
horizon hornet horse hotdog hula humid humor hundred hurdle husky hydrant hyphen iceberg idea iguana image impala income index indigo
inlet insect iodine iris iron island ivory jackal jacket jaguar january jasmine jasper javelin jazz jelly jersey jester jewel jigsaw
jingle jogger journal journey juggler juice jumper junior juniper kayak kazoo keg kernel ketchup kettle kiln kimono kingdom kiosk
kitchen knee knob label lace ladder ladle ladybug lagoon lamb lantern lapis laptop larch lasso laugh laundry laurel lava league leather
lecture legend legume lemon lemur lens lentil leopard letter lettuce level library lichen lilac lily lime lion liquid lizard loaf
lobster locker locust lodge logo lookout lotus lounge lullaby lumber lunar lupin lute lynx lyric macaw machine magic magma magnet magpie
mailbox mango mantis mantle manual maraca marble margin marina marmot maroon marsh mascot mason meadow medal medley melody melon member
memo memory menu merit mesa mesh meteor metro milk mimosa mint minuet mirror mitten mobile model mole moment monday moped mortar mosaic
mother motor mouth movie muffin mural muscle museum music myrtle nachos name napkin nebula nectar neon nephew nest niece nomad north
nozzle nugget nutmeg nylon oak oasis oats oboe ocean ocelot octave office okra olive omelet onion onyx opal opener opera oracle orange
orbit orchid organ oriole osprey otter ounce outfit outlet oven oxbow oxygen oyster ozone page palace palm pancho panda pansy pantry
papaya parade parcel parent park parlor pasta pastel patio peach peanut pearl pebble pecan pen pencil pepper perch period person pesto
petal petrol photo piano picnic pigeon piglet pillar pillow pink pixel pizza plaid planet plank plate plaza plum plural pocket podium
poem polish polka pollen pony pool poplar portal porter potato powder press prism pueblo pulley puma pumice pupil puppet purple putty
quail quarry quartz quiche quilt quince quiver quota radar radio raft rafter raisin ranger rapids rattan rattle raven razor recess
recipe record reef reflex regent reggae region relish remedy remote resort result return reward rhino rhyme ribbon ridge ripple road
robin robot rodent rodeo roller royal ruby rudder ruffle rug rumba runway rust safari sailor salad salmon salsa salt samba sample sandal
sash satin sauce saucer sauna savory scarf scent school score screen script scroll scrub season second sedan seed seesaw sender senior
sequel sequin series sesame seven shade shanty shawl sheep shelf shirt shoe shower shrimp shrub sienna siesta sieve signal silver sinew
sitar six skate sketch skirt sky slalom slogan sloth snack snail snow soap soda soil sorbet sphere sphinx spice spiral splash sponge
spoon sport spring spruce square stable stage stairs stamp stanza statue steam stereo stew stilt stone stork strand street studio suburb
subway suffix sugar summer summit sunday sunset surf survey sushi swan swift swing swirl switch swivel symbol syntax system tablet taco
taffy talent tamale tape taxi teapot teepee tempo tenant tennis tenor tent term text theory thesis thirty three thrift thrush thumb
tiara ticket timber tin tinsel title toast toga tomato tongue tonic topaz totem toucan touch towel toy tray trek tribe trifle tripod
trophy tropic trout trunk tuba tuft tulip tumble tundra tunnel tureen turkey turnip turret turtle tutor tweed twelve twenty twist typist
unit upland uplift urchin usher valve vane vanity veil velvet vendor verse vertex vessel veto video vigor viola violet violin vision
vista vocal vogue voice volt volume voyage waffle wagon walnut walrus waltz warmth water wave wax web week weld whale wheat whisk wicker
width wigwam wind winter wisdom wolf wombat wonder wood world yacht yard yogurt zebra zenith zephyr zero zigzag zodiac zoom
"""
WORDS = tuple(TEXT.split())
